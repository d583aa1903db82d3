import PrivacyAccounting

/// Epochs in random order, cut into batches: what training without privacy does.
///
/// **There is no amplification**: an epoch costs as much as one query of all examples: ⌈T/E⌉ × Gaussian z under
/// Gaussian noise, for epochs of E = ⌈n/m⌉ steps. To account such batches as Poisson samples is a common mistake
/// (arXiv 2403.17673). Every example is in each epoch once: the last batch is smaller, none is dropped, and the
/// constant N that sums are divided by stays m.
///
/// Valid only where the number of examples is public: one more shifts the others from batch to batch.
///
/// An epoch's order is its structure, and stays when a run goes on from a checkpoint: drawn anew, an example could be
/// in two of its batches. It decides the batch, so that a step that is taken anew has the batch that it had. No
/// claim counts on a batch's being hidden: a second time costs each example of the batch one more Gaussian z, the
/// same as with another batch.
///
/// **Guarantee:**
/// - every example is in exactly one batch of each epoch;
/// - the order comes of uniform integers without bias: from ideal random bits the law is exact, at distance 0 from the
///   event's.
public struct ShuffledEpochs: BatchSampler {
    package static let kind = "shuffled-epochs"

    /// n, the number of examples.
    public let exampleCount: Int
    /// m, the size of every batch but an epoch's last.
    public let batchSize: Int
    /// Whether all epochs have the order of the first: participations of an example are then an epoch apart, which
    /// noise that is correlated over steps gains from.
    public let keepsOrder: Bool

    /// Throws unless `exampleCount` ≥ 1, `batchSize` is in 1...exampleCount, and an epoch has at most 2²⁴ steps.
    public init(exampleCount: Int, batchSize: Int, keepsOrder: Bool = false) throws(PrivacyMechanismError) {
        self.keepsOrder = keepsOrder
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount", atLeast: 1)
        self.batchSize = try SamplingCheck.count(batchSize, "batchSize", in: 1...exampleCount)
        _ = try SamplingCheck.count(
            exampleCount.dividedUp(by: batchSize), "The number of batches in an epoch", in: SamplingCheck.bins)
    }

    /// E = ⌈n/m⌉.
    public var stepsPerEpoch: Int { exampleCount.dividedUp(by: batchSize) }

    /// m, for the smaller last batch of an epoch too.
    public var expectedBatchSize: Double { Double(batchSize) }

    /// Replace-one and replace-special.
    public var relations: Set<NeighboringRelation> { [.replaceOne, .replaceSpecial] }

    /// The structure decides the batch.
    public var repetition: BatchRepetition { .repeatsTheBatch }

    /// One sentence for reports.
    public var assumption: String {
        "The number of examples is public, and every example is in exactly one batch of each epoch of "
            + "\(stepsPerEpoch) steps; shuffling amplifies nothing, and no amplification is claimed."
    }

    /// In one step of each epoch.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(
            iterations: iterations,
            choice: .epochs(length: stepsPerEpoch, participations: 1, isSameInEach: keepsOrder),
            dependsOnUnitCount: true)
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "it cuts a permutation of all examples into batches")
    }

    /// The batch of `step`. O(m); without a cache, and for the first batch of an epoch, O(n).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        let (epoch, place) = SamplingCheck.split(step, by: stepsPerEpoch)
        let order = keepsOrder ? 0 : epoch
        let allocation = cache.allocation(of: self, in: order, from: source) {
            var stream = SamplingStream(source, .epoch(order))
            var bins = [Int](repeating: 0, count: exampleCount)
            for (rank, example) in stream.permutation(of: exampleCount).enumerated() {
                bins[example] = rank / batchSize
            }
            return Allocation(binCount: stepsPerEpoch, bins: bins)
        }
        return Array(allocation[place])
    }
}

extension ShuffledEpochs: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, batchSize, keepsOrder
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            batchSize: container.decode(Int.self, forKey: .batchSize),
            keepsOrder: container.decodeIfPresent(Bool.self, forKey: .keepsOrder) ?? false)
    }

    /// Writes `keepsOrder` only where it is true: a configuration has one form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(exampleCount, forKey: .exampleCount)
        try container.encode(batchSize, forKey: .batchSize)
        if keepsOrder { try container.encode(true, forKey: .keepsOrder) }
    }
}

extension SamplingScheme {
    /// `"shuffled-epochs"`, without amplification.
    public static func shuffledEpochs(_ sampler: ShuffledEpochs) -> SamplingScheme { SamplingScheme(sampler) }
}
