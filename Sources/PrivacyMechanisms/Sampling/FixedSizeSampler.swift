import PrivacyAccounting

/// Batches of exactly m examples, drawn uniformly with or without replacement, anew at each step.
///
/// Who is drawn depends on how many examples there are, so that what is claimed is about replace-one, where that number
/// is public. Under Gaussian noise, without replacement: T × without-replacement(n, m, Gaussian z), which both
/// accountants analyse. With replacement, where an example can be in a batch several times: T × with-replacement(n, m,
/// Gaussian z), which loss distributions analyse, and the Rényi accountant throws for.
///
/// **Guarantee:** draws are uniform integers without bias: from ideal random bits the law is exact, at distance 0 from
/// the event's.
public struct FixedSizeSampler: BatchSampler {
    package static let kind = "fixed-size"

    /// n, the number of examples.
    public let exampleCount: Int
    /// m.
    public let batchSize: Int
    /// Whether an example can be drawn twice for one batch.
    public let isWithReplacement: Bool

    /// Throws unless `exampleCount` ≥ 1 and `batchSize` ≥ 1, and without replacement at most `exampleCount`.
    public init(exampleCount: Int, batchSize: Int, isWithReplacement: Bool = false) throws(PrivacyMechanismError) {
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount", atLeast: 1)
        self.batchSize =
            isWithReplacement
            ? try SamplingCheck.count(batchSize, "batchSize", atLeast: 1)
            : try SamplingCheck.count(batchSize, "batchSize", in: 1...exampleCount)
        self.isWithReplacement = isWithReplacement
    }

    /// m.
    public var expectedBatchSize: Double { Double(batchSize) }

    /// Replace-one.
    public var relations: Set<NeighboringRelation> { [.replaceOne] }

    /// One sentence for reports.
    public var assumption: String {
        "The number of examples is public; every batch holds \(batchSize) of them, drawn uniformly "
            + (isWithReplacement ? "with" : "without") + " replacement and independently of other steps, and batches "
            + "stay hidden."
    }

    /// m of n in each step.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(
            iterations: iterations,
            choice: .fixedSize(
                batchSize: batchSize, unitCount: exampleCount, isWithReplacement: isWithReplacement),
            dependsOnUnitCount: true)
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "so many of all examples are in a batch, and so many of each part would be another law")
    }

    /// The batch of `step`, with repetitions where there is replacement. O(m log m).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        var stream = SamplingStream(source, .step(step))
        guard isWithReplacement else { return stream.subset(of: exampleCount, size: batchSize) }
        return (0..<batchSize).map { _ in stream.uniform(below: exampleCount) }.sorted()
    }
}

extension FixedSizeSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, batchSize, isWithReplacement
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            batchSize: container.decode(Int.self, forKey: .batchSize),
            isWithReplacement: container.decodeIfPresent(Bool.self, forKey: .isWithReplacement) ?? false)
    }
}

extension SamplingScheme {
    /// `"fixed-size"`.
    public static func fixedSize(_ sampler: FixedSizeSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
