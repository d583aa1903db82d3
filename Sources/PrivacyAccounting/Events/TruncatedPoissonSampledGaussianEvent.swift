/// Poisson sampling whose batches are cut to a size by a random subset, then Gaussian noise (arXiv 2508.15089).
///
/// Analysed by its loss distribution, under replace-one and replace-special: the size of the data set is public.
public struct TruncatedPoissonSampledGaussianEvent: EventAnalysis {
    /// The number of records, at least 0.
    public let datasetSize: Int
    /// q, in [0, 1].
    public let probability: Double
    /// The size that batches are cut to, at least 0.
    public let truncatedBatchSize: Int
    /// z, in [0, ∞].
    public let noiseMultiplier: Double

    static let kind = PrivacyEvent.Kind.truncatedPoissonSampledGaussian
    var asPrivacyEvent: PrivacyEvent { .truncatedPoissonSampledGaussian(self) }
    var name: String {
        "a Gaussian of noise multiplier \(noiseMultiplier) on Poisson batches of rate \(probability) from "
            + "\(datasetSize) records, truncated at \(truncatedBatchSize)"
    }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless sizes are at least 0, q is in [0, 1] and z
    ///   in [0, ∞].
    public init(
        datasetSize: Int, probability: Double, truncatedBatchSize: Int, noiseMultiplier: Double
    ) throws(AccountingError) {
        self.datasetSize = try Check.count(datasetSize, "datasetSize")
        self.probability = try Check.probability(probability)
        self.truncatedBatchSize = try Check.count(truncatedBatchSize, "truncatedBatchSize")
        self.noiseMultiplier = try Check.nonNegative(noiseMultiplier, "noiseMultiplier")
    }

    /// Reads the numbers and checks them.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            datasetSize: box.decode(Int.self, forKey: .datasetSize),
            probability: box.decode(Double.self, forKey: .probability),
            truncatedBatchSize: box.decode(Int.self, forKey: .truncatedBatchSize),
            noiseMultiplier: box.decode(Double.self, forKey: .noiseMultiplier))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        if datasetSize == 0 || truncatedBatchSize == 0 || probability == 0 { return }
        try phases.addMechanism(asPrivacyEvent, noiseMultiplier: noiseMultiplier, count: count)
    }

    func loss(under relation: NeighboringRelation, side: LossModel.Side) throws(AccountingError) -> LossStep {
        guard relation != .addOrRemoveOne else {
            throw unsupported(by: PrivacyLossDistributionAccountant.self, under: relation)
        }
        let truncation = Truncation(datasetSize: datasetSize, probability: probability, batch: truncatedBatchSize)
        func sampled(_ rate: Double, weight: Double) -> LossStep.Part {
            .poissonGaussian(probability: rate, noiseMultiplier: noiseMultiplier, under: relation, weight: weight)
        }
        if side == .lower { return LossStep([sampled(truncation.participation, weight: 1)]) }
        let swap = ReplacedGaussianPair(
            probability: truncation.conditionalParticipation, mu: 2 / noiseMultiplier)
        let parts = [
            sampled(probability, weight: truncation.spareProbability),
            LossStep.Part(mirrored: swap, weight: truncation.probability),
        ]
        // What is next to impossible is not worth a grid of its own: let it cost everything.
        let likely = parts.filter { $0.weight > BinomialProbability.least }
        let rare = parts.filter { $0.weight <= BinomialProbability.least }
        return LossStep(likely, infinityMass: rare.reduce(0) { $0 + $1.weight })
    }
}

extension PrivacyEvent {
    /// Gaussian noise on truncated Poisson batches.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless sizes are at least 0, `probability` is in
    ///   [0, 1] and `noiseMultiplier` in [0, ∞].
    public static func truncatedPoissonSampledGaussian(
        datasetSize: Int, probability: Double, truncatedBatchSize: Int, noiseMultiplier: Double
    ) throws(AccountingError) -> PrivacyEvent {
        .truncatedPoissonSampledGaussian(
            try TruncatedPoissonSampledGaussianEvent(
                datasetSize: datasetSize, probability: probability, truncatedBatchSize: truncatedBatchSize,
                noiseMultiplier: noiseMultiplier))
    }
}
