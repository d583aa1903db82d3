/// The event on a uniformly random subset of the records.
///
/// Analysed under replace-one: by its loss distribution, when the event inside is; by Rényi divergences when that is a
/// composition of Gaussian queries.
public struct SampledWithoutReplacementEvent: EventAnalysis {
    /// The number of records drawn from, at least 1.
    public let sourceSize: Int
    /// The size of the subset, in 0 … `sourceSize`.
    public let sampleSize: Int
    /// What is done to the subset.
    public let event: PrivacyEvent

    static let kind = PrivacyEvent.Kind.sampledWithoutReplacement
    var asPrivacyEvent: PrivacyEvent { .sampledWithoutReplacement(self) }
    var name: String {
        "\(event.analysis.name) on \(sampleSize) of \(sourceSize) records sampled without replacement"
    }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless 0 ≤ `sampleSize` ≤ `sourceSize`, and
    ///   `sourceSize` ≥ 1.
    public init(sourceSize: Int, sampleSize: Int, event: PrivacyEvent) throws(AccountingError) {
        self.sourceSize = try Check.count(sourceSize, "sourceSize", atLeast: 1)
        guard (0...sourceSize).contains(sampleSize) else {
            throw .outOfRange(name: "sampleSize", value: "\(sampleSize)", allowed: "in 0...\(sourceSize)")
        }
        self.sampleSize = sampleSize
        self.event = event
    }

    /// Reads the tree and checks it.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            sourceSize: box.decode(Int.self, forKey: .sourceSize),
            sampleSize: box.decode(Int.self, forKey: .sampleSize),
            event: box.decode(PrivacyEvent.self, forKey: .event))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        if sampleSize == 0 { return }
        if sampleSize == sourceSize { return try phases.add(event, count: count) }
        try phases.addSampled(event, count: count) { (event) throws(AccountingError) in
            try .sampledWithoutReplacement(sourceSize: sourceSize, sampleSize: sampleSize, event)
        }
    }

    func renyiDivergence(under relation: NeighboringRelation) throws(AccountingError) -> (Double) -> Double {
        guard case .gaussian(let gaussian) = event, relation == .replaceOne else {
            throw unsupported(by: RenyiAccountant.self, under: relation)
        }
        let z = gaussian.noiseMultiplier / relation.sensitivityFactor
        let moments = RenyiDivergence.CentredMoments(noiseMultiplier: z)
        let gamma = Double(sampleSize) / Double(sourceSize)
        return {
            RenyiDivergence.withoutReplacementGaussian(
                order: $0, fraction: gamma, noiseMultiplier: z, moments: moments)
        }
    }

    /// For the lower end, all other records contribute the same as one of the two that are told apart: whether the
    /// sample holds it or another one is no difference. Where the event inside draws who takes part, it is one.
    func loss(under relation: NeighboringRelation, side: LossModel.Side) throws(AccountingError) -> LossStep {
        guard relation == .replaceOne else {
            throw unsupported(by: PrivacyLossDistributionAccountant.self, under: relation)
        }
        let phases = try Phases(event)
        let base = try SampledBase(phases, of: self, under: relation, side: side)
        if side == .lower, !phases.phases.allSatisfy({ $0.event.isOnAllRecords }) { return .nothing }
        let share = Double(sampleSize) / Double(sourceSize)
        return side == .lower
            ? LossStep(base, poisson: share.nextDown) : LossStep(base, symmetric: min(1, share.nextUp))
    }
}

extension PrivacyEvent {
    /// `event` on a random subset.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless 0 ≤ `sampleSize` ≤ `sourceSize`, and
    ///   `sourceSize` ≥ 1.
    public static func sampledWithoutReplacement(
        sourceSize: Int, sampleSize: Int, _ event: PrivacyEvent
    ) throws(AccountingError) -> PrivacyEvent {
        .sampledWithoutReplacement(
            try SampledWithoutReplacementEvent(sourceSize: sourceSize, sampleSize: sampleSize, event: event))
    }
}
