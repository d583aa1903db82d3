import PrivacyAccounting

/// Any of this package's noise mechanisms, for plans that name one: a `kind`, and the mechanism's own keys beside it.
///
///     {"kind": "discreteGaussian"}
public struct NoiseScheme: Sendable {
    /// The registry: every mechanism there is.
    package static let mechanisms: [any NoiseMechanism.Type] = [
        DiscreteGaussianMechanism.self,
        CorrelatedMechanism.self,
        FloatingPointGaussianMechanism.self,
    ]

    /// Kinds that there were, and what to write in their place. They are not read as what replaced them: a plan that
    /// names one was made, and its noise calibrated, for another mechanism.
    package static let retiredKinds = [
        "gaussian": "is 'gaussian', floating-point noise on floating-point sums, whose low-order bits tell "
            + "neighbouring data sets apart: write 'discreteGaussian', which closes this, or 'floatingPointGaussian' "
            + "for the old noise, for comparison."
    ]

    package let mechanism: any NoiseMechanism

    /// Traps unless the mechanism is in the registry: a plan of it could be written and not read.
    package init<Mechanism: NoiseMechanism>(_ mechanism: Mechanism) {
        requireRegistered(Mechanism.self, in: Self.mechanisms, "NoiseScheme.mechanisms")
        self.mechanism = mechanism
    }

    /// The mechanism's name.
    public var kind: String { type(of: mechanism).kind }

    /// What the steps of `pattern` are accounted as under noise of multiplier z.
    ///
    /// Throws `AccountingError` for a noise multiplier out of range, and where the mechanism has no analysis of the
    /// pattern.
    public func event(
        of pattern: ParticipationPattern, noiseMultiplier: Double
    ) throws(AccountingError) -> PrivacyEvent {
        try mechanism.event(of: pattern, noiseMultiplier: noiseMultiplier)
    }
}

extension NoiseScheme: Hashable {
    /// Whether both are the same mechanism with the same configuration.
    public static func == (first: NoiseScheme, second: NoiseScheme) -> Bool {
        AnyHashable(first.mechanism) == AnyHashable(second.mechanism)
    }

    /// Hashes the mechanism's configuration.
    public func hash(into hasher: inout Hasher) { mechanism.hash(into: &hasher) }
}

extension NoiseScheme: Codable {
    /// Reads a `kind` and its mechanism's keys. Throws `DecodingError` for a kind that there is not, with what to write
    /// in its place for one that there was.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseRetired(Self.retiredKinds, "kind")
        let mechanism = try decoder.registered(in: Self.mechanisms, "kind") { $0.kind }
        self.init(try mechanism.init(from: decoder))
    }

    /// Writes the mechanism's keys, and its `kind` beside them.
    public func encode(to encoder: any Encoder) throws {
        try mechanism.encode(to: encoder)
        try encoder.encodeRegistered(kind, "kind")
    }
}
