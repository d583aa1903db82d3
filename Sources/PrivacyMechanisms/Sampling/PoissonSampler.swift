import PrivacyAccounting

/// Poisson sampling: every example is in every batch with probability q, independently of all others and of other
/// steps.
///
/// This is DP-SGD's sampling, T × Poisson(q, Gaussian z) under Gaussian noise, valid under every relation: what one
/// example does is independent of how many others there are. A batch costs time in proportion to its size, not to the
/// data's.
///
/// **Guarantee:** from ideal random bits the law is exactly that of the event with q′ = ⌊q·2⁶⁴⌋/2⁶⁴ in the place of q:
/// q′ ≤ q, which the event with q covers (see `Dyadic`), and q′ = q for q ≥ 2⁻¹². Nothing is to be added to δ.
public struct PoissonSampler: BatchSampler {
    package static let kind = "poisson"

    /// The number of examples.
    public let exampleCount: Int
    /// q.
    public let samplingProbability: Double

    /// Throws unless `exampleCount` ≥ 0 and `samplingProbability` is in [0, 1].
    public init(exampleCount: Int, samplingProbability: Double) throws(PrivacyMechanismError) {
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount")
        self.samplingProbability = try SamplingCheck.probability(samplingProbability)
    }

    /// n·q.
    public var expectedBatchSize: Double { Double(exampleCount) * samplingProbability }

    /// All.
    public var relations: Set<NeighboringRelation> { Set(NeighboringRelation.allCases) }

    /// One sentence for reports.
    public var assumption: String {
        "Every example is in every batch with probability \(samplingProbability), independently of all other examples "
            + "and steps, and batches stay hidden."
    }

    /// In each step with probability q.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(iterations: iterations, choice: .eachStep(probability: samplingProbability))
    }

    /// The same of that many examples: each of all is drawn by itself, wherever it lies, and anew in each step.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        try PoissonSampler(exampleCount: count, samplingProbability: samplingProbability)
    }

    /// The batch of `step`. O(batch).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        var stream = SamplingStream(source, .step(step))
        return batch(from: &stream)
    }

    func batch(from stream: inout SamplingStream) -> [Int] {
        stream.selection(of: exampleCount, probability: samplingProbability)
    }
}

extension PoissonSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, samplingProbability
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            samplingProbability: container.decode(Double.self, forKey: .samplingProbability))
    }
}

extension SamplingScheme {
    /// `"poisson"`.
    public static func poisson(_ sampler: PoissonSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
