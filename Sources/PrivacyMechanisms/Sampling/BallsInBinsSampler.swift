import PrivacyAccounting

/// Balls in bins: each example falls into one of b bins, uniformly and independently, and step t's batch is bin t mod
/// b.
///
/// Examples stay in their bins for the whole run, so that their participations are exactly b steps apart, as noise of
/// up to b bands needs it (arXiv 2410.06266); or they are thrown anew at the beginning of each epoch of b steps
/// (arXiv 2412.16802).
///
/// Under Gaussian noise that is one of b steps at the noise z/√⌈T/b⌉ where bins stay, one of b steps in each epoch
/// where they do not
/// (``/PrivacyAccounting/PrivacyEvent/randomAllocated(steps:participations:probability:noiseMultiplier:)``), under
/// every relation. Under replace-one, and by a Rényi accountant, participations are counted without amplification.
///
/// Bins are the structure of a run or an epoch, and stay when a run goes on from a checkpoint: drawn anew, an example
/// could be in two batches of one epoch. They decide the batch, so that a step that is taken anew has the batch that
/// it had. The amplification counts on bins' being hidden, and so on a checkpoint's; a step that is taken twice costs
/// at most one Gaussian z more, see ``BatchRepetition``.
///
/// **Guarantee:**
/// - every example is in exactly one batch of each epoch;
/// - bins are uniform integers without bias: from ideal random bits the law is exact, at distance 0 from the event's.
public struct BallsInBinsSampler: BatchSampler {
    package static let kind = "balls-in-bins"

    /// The number of examples.
    public let exampleCount: Int
    /// b, the number of steps in an epoch.
    public let bins: Int
    /// Whether each epoch throws examples anew.
    public let isRedrawnEachEpoch: Bool

    /// Throws unless `exampleCount` ≥ 0 and `bins` is in 1...2²⁴.
    public init(exampleCount: Int, bins: Int, isRedrawnEachEpoch: Bool = false) throws(PrivacyMechanismError) {
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount")
        self.bins = try SamplingCheck.count(bins, "bins", in: SamplingCheck.bins)
        self.isRedrawnEachEpoch = isRedrawnEachEpoch
    }

    /// n/b.
    public var expectedBatchSize: Double { Double(exampleCount) / Double(bins) }

    /// All.
    public var relations: Set<NeighboringRelation> { Set(NeighboringRelation.allCases) }

    /// The structure decides the batch.
    public var repetition: BatchRepetition { .repeatsTheBatch }

    /// One sentence for reports.
    public var assumption: String {
        "Every example is in exactly one batch of each epoch of \(bins) steps, "
            + (isRedrawnEachEpoch ? "chosen anew in each" : "the same in each")
            + ", independently of other examples; bins and batches stay hidden."
    }

    /// In one step of each epoch of b.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(
            iterations: iterations,
            choice: .epochs(length: bins, participations: 1, isSameInEach: !isRedrawnEachEpoch))
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "its bins are drawn for many steps at once, and parts that are cut anew would change them")
    }

    /// The batch of `step`. O(batch); without a cache, and for the first batch of an allocation, O(n + b).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        let (epoch, bin) = SamplingCheck.split(step, by: bins)
        let allocation = cache.allocation(of: self, in: isRedrawnEachEpoch ? epoch : 0, from: source) {
            var stream = SamplingStream(source, isRedrawnEachEpoch ? .epoch(epoch) : .layout)
            return Allocation(binCount: bins, bins: (0..<exampleCount).map { _ in stream.uniform(below: bins) })
        }
        return Array(allocation[bin])
    }
}

extension BallsInBinsSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, bins, isRedrawnEachEpoch
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            bins: container.decode(Int.self, forKey: .bins),
            isRedrawnEachEpoch: container.decodeIfPresent(Bool.self, forKey: .isRedrawnEachEpoch) ?? false)
    }
}

extension SamplingScheme {
    /// `"balls-in-bins"`.
    public static func ballsInBins(_ sampler: BallsInBinsSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
