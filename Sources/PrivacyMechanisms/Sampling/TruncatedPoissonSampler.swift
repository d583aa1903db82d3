import PrivacyAccounting

/// Poisson sampling whose batches hold at most m examples: where more are drawn, a random subset of m stays.
///
/// For memory that is bounded ahead of time. Whether an example stays depends on the others, which is why the event
/// under Gaussian noise is one of its own (arXiv 2508.15089), valid only where the number of examples is public.
///
/// **Guarantee:**
/// - no batch holds more than m examples, and which of those drawn stay is uniformly random, exactly;
/// - from ideal random bits the law is exactly that of the event, which is given the probability that is used, q′ =
///   ⌊q·2⁶⁴⌋/2⁶⁴: truncation is not known to be covered by that of a larger q.
public struct TruncatedPoissonSampler: BatchSampler {
    package static let kind = "truncated-poisson"

    /// The number of examples.
    public let exampleCount: Int
    /// q, before truncation.
    public let samplingProbability: Double
    /// m.
    public let maximumBatchSize: Int

    /// Throws unless `exampleCount` ≥ 0, `samplingProbability` is in [0, 1] and `maximumBatchSize` ≥ 1.
    public init(
        exampleCount: Int, samplingProbability: Double, maximumBatchSize: Int
    ) throws(PrivacyMechanismError) {
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount")
        self.samplingProbability = try SamplingCheck.probability(samplingProbability)
        self.maximumBatchSize = try SamplingCheck.count(maximumBatchSize, "maximumBatchSize", atLeast: 1)
    }

    /// min(n·q, m): the expectation before truncation, and so an upper bound of the one after it. Any constant will
    /// do that does not depend on the batch.
    public var expectedBatchSize: Double {
        min(Double(exampleCount) * samplingProbability, Double(maximumBatchSize))
    }

    /// Replace-one and replace-special.
    public var relations: Set<NeighboringRelation> { [.replaceOne, .replaceSpecial] }

    /// One sentence for reports.
    public var assumption: String {
        "The number of examples is public; every example is drawn at every step with probability "
            + "\(samplingProbability), independently of all other examples and steps, of more than \(maximumBatchSize) "
            + "a random subset of that size stays, and batches stay hidden."
    }

    /// In each step with probability q′, of more than m a random subset of m.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(
            iterations: iterations,
            choice: .truncated(
                probability: Dyadic.roundedDown(samplingProbability), maximumBatchSize: maximumBatchSize,
                unitCount: exampleCount, period: 1),
            dependsOnUnitCount: true)
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "the largest batch that it allows is one of all examples")
    }

    /// The batch of `step`. In proportion to the batch before truncation.
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        var stream = SamplingStream(source, .step(step))
        return stream.selection(of: exampleCount, probability: samplingProbability, atMost: maximumBatchSize)
    }
}

extension TruncatedPoissonSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, samplingProbability, maximumBatchSize
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            samplingProbability: container.decode(Double.self, forKey: .samplingProbability),
            maximumBatchSize: container.decode(Int.self, forKey: .maximumBatchSize))
    }
}

extension SamplingScheme {
    /// `"truncated-poisson"`.
    public static func truncatedPoisson(_ sampler: TruncatedPoissonSampler) -> SamplingScheme {
        SamplingScheme(sampler)
    }
}
