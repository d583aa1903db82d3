import Foundation

/// The event on records drawn uniformly with replacement.
///
/// Analysed by its loss distribution under replace-one, when the event inside is a composition of Gaussian queries. A
/// record is drawn Bin(m, 1/n) times, and a sum moves by as many times what one record moves it.
public struct SampledWithReplacementEvent: EventAnalysis {
    /// The number of records drawn from, at least 1.
    public let sourceSize: Int
    /// The number of draws, at least 0.
    public let sampleSize: Int
    /// What is done to the sample.
    public let event: PrivacyEvent

    static let kind = PrivacyEvent.Kind.sampledWithReplacement
    var asPrivacyEvent: PrivacyEvent { .sampledWithReplacement(self) }
    var name: String {
        "\(event.analysis.name) on \(sampleSize) of \(sourceSize) records sampled with replacement"
    }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `sourceSize` ≥ 1 and `sampleSize` ≥ 0.
    public init(sourceSize: Int, sampleSize: Int, event: PrivacyEvent) throws(AccountingError) {
        self.sourceSize = try Check.count(sourceSize, "sourceSize", atLeast: 1)
        self.sampleSize = try Check.count(sampleSize, "sampleSize")
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
        try phases.addSampled(event, count: count) { (event) throws(AccountingError) in
            try .sampledWithReplacement(sourceSize: sourceSize, sampleSize: sampleSize, event)
        }
    }

    /// The most draws of one record that are told apart; more cost everything.
    private static let mostDraws = 24

    /// **Guarantee:** with γ = 1 − (1 − 1/n)^m and δ_j that of records drawn j times,
    /// δ′(log(1 + γ(e^ε − 1))) ≤ Σ_j P(Bin(m, 1/n) = j)·δ_j(ε) (arXiv 1807.01647, theorem 10).
    ///
    /// The lower end takes a record to be drawn once where it is drawn at all: with more draws every test is more
    /// powerful.
    func loss(under relation: NeighboringRelation, side: LossModel.Side) throws(AccountingError) -> LossStep {
        guard case .gaussian(let gaussian) = event, relation == .replaceOne else {
            throw unsupported(by: PrivacyLossDistributionAccountant.self, under: relation)
        }
        let mu = relation.sensitivityFactor / gaussian.noiseMultiplier
        // Of a few roundings: 1/n, the logarithm, the product and the exponential.
        let drawn = -expm1(Double(sampleSize) * log1p(-1 / Double(sourceSize)))
        let gamma = min(1, drawn * (side == .upper ? 1 + 0x1p-48 : 1 - 0x1p-48))
        if side == .lower {
            let once = SubsampledPair(GaussianPair(mu: mu), probability: gamma)
            return LossStep([.init(once)])
        }
        func probability(from first: Int, through last: Int) -> Double {
            // Probabilities grow with the rate where at least one draw is asked for, and 1/n is rounded.
            BinomialProbability(
                from: first, through: last, trials: sampleSize, success: 1 / Double(sourceSize)
            ).upper * (1 + Double(sampleSize) * 0x1p-52)
        }
        let most = min(sampleSize, Self.mostDraws)
        let parts = (1...most).map { (probability(from: $0, through: $0) / gamma, GaussianPair(mu: Double($0) * mu)) }
            .filter { $0.0 > 0 }
        let rare = most < sampleSize ? probability(from: most + 1, through: sampleSize) : 0
        return LossStep(
            [.init(mirrored: SymmetrizedPair(SubsampledPair(MixedPair(parts: parts), probability: gamma)))],
            infinityMass: rare)
    }
}

extension PrivacyEvent {
    /// `event` on a sample with replacement.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `sourceSize` ≥ 1 and `sampleSize` ≥ 0.
    public static func sampledWithReplacement(
        sourceSize: Int, sampleSize: Int, _ event: PrivacyEvent
    ) throws(AccountingError) -> PrivacyEvent {
        .sampledWithReplacement(
            try SampledWithReplacementEvent(sourceSize: sourceSize, sampleSize: sampleSize, event: event))
    }
}
