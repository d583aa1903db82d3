/// Any of this package's strategies for correlated noise: in files a `kind`, and the strategy's own keys beside it.
///
///     {"kind": "banded-inverse", "noisingCoefficients": [1, -0.5], "steps": 1000}
///
/// C is a lower-triangular n × n matrix, n the steps of a run, and the noise of step t is row t of C⁻¹Z, with Z
/// independent from step to step. Part of the noise of a step is so taken away again in later ones; for that, Z has to
/// be larger: by the sensitivity of C.
///
/// | strategy | C | state of P parameters | sensitivity |
/// |---|---|---|---|
/// | ``IdentityStrategy`` | 1: independent noise | none | exact |
/// | ``ToeplitzStrategy`` | b diagonals | (b − 1)·P | exact for b-min-separation, or not increasing |
/// | ``BandedInverseStrategy`` | C⁻¹ has p diagonals | (p − 1)·P, or none | exact if C does not increase |
/// | ``BufferedToeplitzStrategy`` | sums of powers | buffers·P | exact |
/// | ``DenseStrategy`` | any | n·P | exact for b bands, else an upper bound |
///
/// **Guarantee:** a run whose Z has the standard deviation z · sens(C) · Δ hides somebody's contributions, each of norm
/// at most Δ and in steps that the sensitivity is of, as one Gaussian release of multiplier z does.
public struct CorrelationStrategy: Sendable {
    /// The registry: every strategy there is.
    package static let strategies: [any NoiseStrategy.Type] = [
        IdentityStrategy.self,
        ToeplitzStrategy.self,
        BandedInverseStrategy.self,
        BufferedToeplitzStrategy.self,
        DenseStrategy.self,
    ]

    package let strategy: any NoiseStrategy

    /// Traps unless the strategy is in the registry: a plan of it could be written and not read.
    package init<Strategy: NoiseStrategy>(_ strategy: Strategy) {
        requireRegistered(Strategy.self, in: Self.strategies, "CorrelationStrategy.strategies")
        self.strategy = strategy
    }
}

extension CorrelationStrategy {
    /// The strategy's name in files.
    public var kind: String { type(of: strategy).kind }

    /// n, the number of steps that the strategy is for.
    public var steps: Int { strategy.steps }

    /// The least b for which C[i][j] = 0 wherever i − j ≥ b; n if C has no bands.
    public var bands: Int { strategy.bands }

    /// ‖C‖₁→₂, the largest norm of a column, rounded up: the sensitivity of one participation.
    public var columnNorm: Double { strategy.columnNorm }

    /// An upper bound of the sensitivity in the first t steps for at most k participations, each two at least b steps
    /// apart; rounded up. k counts for no more than ⌈t/b⌉. Traps unless k ≥ 0, b ≥ 1 and 0 ≤ t ≤ n.
    public func sensitivity(participations k: Int, separation b: Int, steps t: Int) -> Double {
        strategy.sensitivity(participations: k, separation: b, steps: t)
    }

    /// An upper bound of the sensitivity in the first t steps where somebody's steps are i, i + L, i + 2L, … for one
    /// i < L; rounded up. Traps unless L ≥ 1 and 0 ≤ t ≤ n.
    public func epochSensitivity(length: Int, steps t: Int) -> Double {
        strategy.epochSensitivity(length: length, steps: t)
    }

    /// An upper bound of the sensitivity in the first t steps for a participation; rounded up. Traps unless 0 ≤ t ≤ n.
    public func sensitivity(for participation: StrategyParticipation, steps t: Int) -> Double {
        switch participation {
        case .once: sensitivity(participations: 1, separation: 1, steps: t)
        case .separated(let participations, let separation):
            sensitivity(participations: participations, separation: separation, steps: t)
        case .epochs(let length): epochSensitivity(length: length, steps: t)
        }
    }

    /// The variance that noise of variance 1 leaves in what the optimizer makes of n noisy gradients.
    public func squaredErrors(on workload: StrategyWorkload) -> SquaredErrors {
        strategy.squaredErrors(on: workload)
    }
}

extension CorrelationStrategy: Hashable {
    /// Whether both are the same strategy with the same numbers.
    public static func == (first: CorrelationStrategy, second: CorrelationStrategy) -> Bool {
        AnyHashable(first.strategy) == AnyHashable(second.strategy)
    }

    /// Hashes the strategy's numbers.
    public func hash(into hasher: inout Hasher) { strategy.hash(into: &hasher) }
}

extension CorrelationStrategy: Codable {
    /// Reads a `kind` and its strategy's keys. Throws ``PrivacyMechanismError`` for a value out of range, and
    /// `DecodingError` for a kind that there is not, or a key that the strategy does not have.
    public init(from decoder: any Decoder) throws {
        let strategy = try decoder.registered(in: Self.strategies, "kind") { $0.kind }
        try decoder.refuseUnknownKeys(except: ["kind"] + strategy.keys)
        self.init(try strategy.init(from: decoder))
    }

    /// Writes the strategy's keys, and its `kind` beside them.
    public func encode(to encoder: any Encoder) throws {
        try strategy.encode(to: encoder)
        try encoder.encodeRegistered(kind, "kind")
    }
}
