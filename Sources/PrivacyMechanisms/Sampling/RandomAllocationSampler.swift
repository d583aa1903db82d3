import PrivacyAccounting

/// Random allocation: in each epoch of t steps, every example is in exactly k batches, a uniformly random k of the t,
/// chosen independently of other examples and epochs (arXiv 2502.08202).
///
/// Under Gaussian noise that is
/// ``/PrivacyAccounting/PrivacyEvent/randomAllocated(steps:participations:probability:noiseMultiplier:)`` in each
/// epoch, under every relation. Under replace-one, and by a Rényi accountant, participations are counted without
/// amplification.
///
/// An epoch's allocation is its structure, and stays when a run goes on from a checkpoint: drawn anew, an example
/// could be in more than k of its batches. It decides the batch, so that a step that is taken anew has the batch that
/// it had. The amplification counts on the allocation's being hidden, and so on a checkpoint's; a step that is taken
/// twice costs at most one Gaussian z more, see ``BatchRepetition``.
///
/// **Guarantee:**
/// - every example is in exactly k batches of each epoch;
/// - its steps come of uniform integers without bias: from ideal random bits the law is exact, at distance 0 from the
///   event's.
public struct RandomAllocationSampler: BatchSampler {
    package static let kind = "random-allocation"

    /// The number of examples.
    public let exampleCount: Int
    /// k.
    public let participations: Int
    /// t.
    public let stepsPerEpoch: Int

    /// Throws unless `exampleCount` ≥ 0, `stepsPerEpoch` is in 1...2²⁴ and `participations` in 0...stepsPerEpoch.
    public init(
        exampleCount: Int, participations: Int, stepsPerEpoch: Int
    ) throws(PrivacyMechanismError) {
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount")
        self.stepsPerEpoch = try SamplingCheck.count(stepsPerEpoch, "stepsPerEpoch", in: SamplingCheck.bins)
        self.participations = try SamplingCheck.count(participations, "participations", in: 0...stepsPerEpoch)
    }

    /// n·k/t.
    public var expectedBatchSize: Double {
        Double(exampleCount) * Double(participations) / Double(stepsPerEpoch)
    }

    /// All.
    public var relations: Set<NeighboringRelation> { Set(NeighboringRelation.allCases) }

    /// The structure decides the batch.
    public var repetition: BatchRepetition { .repeatsTheBatch }

    /// One sentence for reports.
    public var assumption: String {
        "Every example is in exactly \(participations) of the \(stepsPerEpoch) batches of each epoch, chosen "
            + "independently of other examples; allocation and batches stay hidden."
    }

    /// In k steps of each epoch of t.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(
            iterations: iterations,
            choice: .epochs(length: stepsPerEpoch, participations: participations, isSameInEach: false))
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "its steps are drawn for many steps at once, and parts that are cut anew would change them")
    }

    /// The batch of `step`. O(batch); without a cache, and for the first batch of an epoch, O(n·k + t).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        let (epoch, place) = SamplingCheck.split(step, by: stepsPerEpoch)
        let allocation = cache.allocation(of: self, in: epoch, from: source) {
            var stream = SamplingStream(source, .epoch(epoch))
            let steps = (0..<exampleCount).flatMap { _ in stream.subset(of: stepsPerEpoch, size: participations) }
            return Allocation(binCount: stepsPerEpoch, participations: steps.count) { visit in
                for (index, step) in steps.enumerated() { visit(index / participations, step) }
            }
        }
        return Array(allocation[place])
    }
}

extension RandomAllocationSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, participations, stepsPerEpoch
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            participations: container.decode(Int.self, forKey: .participations),
            stepsPerEpoch: container.decode(Int.self, forKey: .stepsPerEpoch))
    }
}

extension SamplingScheme {
    /// `"random-allocation"`.
    public static func randomAllocation(_ sampler: RandomAllocationSampler) -> SamplingScheme {
        SamplingScheme(sampler)
    }
}
