import PrivacyAccounting

/// Cyclic Poisson sampling for noise of b bands: examples are parted into b groups once, and step t is Poisson sampling
/// with probability q from group t mod b (arXiv 2306.08153).
///
/// Batches may be cut to at most m examples, as ``TruncatedPoissonSampler`` cuts them, where all groups have the same
/// size: what is known of one group's truncation then does not depend on how examples were parted.
///
/// An example has a chance only in every b-th step: ⌈T/b⌉ × Poisson(q, Gaussian z) under Gaussian noise. With k
/// expected participations in T steps, q = kb/T. The partition costs O(n) once for a run of batches, from the key,
/// wherever the run begins; a batch then costs time in proportion to its size.
///
/// Groups are the run's structure, which stays when a run goes on from a checkpoint: drawn anew, an example could
/// come to a group whose turn is sooner, and have one chance more than the pattern counts. Who of a group takes part is
/// the choice of that step, and is made anew.
///
/// **Guarantee:**
/// - groups are disjoint and the same for the whole run, so that an example's participations are multiples of b steps
///   apart;
/// - from ideal random bits the law is exactly that of the event with q rounded down to a multiple of 2⁻⁶⁴, which the
///   event with q covers (see `Dyadic`). Groups come of uniform integers, exactly.
public struct CyclicPoissonSampler: BatchSampler {
    package static let kind = "cyclic-poisson"

    /// How examples are parted into groups.
    public enum Partition: String, Codable, Hashable, Sendable {
        /// Each example goes to a group of its own choice, uniformly and independently: valid under every relation.
        case independent
        /// A random partition into groups whose sizes differ by at most one. Where an example goes depends on how many
        /// there are, so that nothing can be claimed unless that number is public.
        case equalSizes = "equal-sizes"
    }

    /// The number of examples.
    public let exampleCount: Int
    /// b, the number of groups.
    public let bands: Int
    /// q, within the group whose turn it is.
    public let samplingProbability: Double
    /// How examples are parted into groups.
    public let partition: Partition
    /// m; nil for batches of any size.
    public let maximumBatchSize: Int?

    /// Throws unless `exampleCount` ≥ 0, `bands` is in 1...max(1, exampleCount) and at most 2²⁴, and
    /// `samplingProbability` is in [0, 1]; and with a `maximumBatchSize`, unless that is at least 1, groups have equal
    /// sizes, and `bands` divides `exampleCount`.
    public init(
        exampleCount: Int, bands: Int, samplingProbability: Double, partition: Partition = .independent,
        maximumBatchSize: Int? = nil
    ) throws(PrivacyMechanismError) {
        self.exampleCount = try SamplingCheck.count(exampleCount, "exampleCount")
        let limit = min(max(1, exampleCount), SamplingCheck.bins.upperBound)
        self.bands = try SamplingCheck.count(bands, "bands", in: 1...limit)
        self.samplingProbability = try SamplingCheck.probability(samplingProbability)
        self.partition = partition
        guard let maximumBatchSize else {
            self.maximumBatchSize = nil
            return
        }
        self.maximumBatchSize = try SamplingCheck.count(maximumBatchSize, "maximumBatchSize", atLeast: 1)
        guard partition == .equalSizes else {
            throw .invalidSamplingParameter(
                name: "partition", value: partition.rawValue, allowed: "equal-sizes where batches are truncated")
        }
        guard exampleCount % bands == 0 else {
            throw .invalidSamplingParameter(
                name: "exampleCount", value: "\(exampleCount)",
                allowed: "a multiple of the \(bands) bands where batches are truncated")
        }
    }

    /// n·q/b, or m where that is less.
    public var expectedBatchSize: Double {
        min(Double(exampleCount) * samplingProbability / Double(bands), maximumBatchSize.map(Double.init) ?? .infinity)
    }

    /// All, or replace-one and replace-special for groups of equal sizes.
    public var relations: Set<NeighboringRelation> {
        switch partition {
        case .independent: Set(NeighboringRelation.allCases)
        case .equalSizes: [.replaceOne, .replaceSpecial]
        }
    }

    /// A batch of its own, unless whole groups take part.
    public var repetition: BatchRepetition {
        samplingProbability < 1 || maximumBatchSize != nil ? .drawsAnew : .repeatsTheBatch
    }

    /// One sentence for reports.
    public var assumption: String {
        let groups =
            switch partition {
            case .independent: "Every example belongs to one of \(bands) groups, chosen uniformly and independently,"
            case .equalSizes:
                "The number of examples is public; every example belongs to one of \(bands) groups of equal size"
            }
        return groups + " for the whole run, and is in each \(bands)-th batch with probability \(samplingProbability), "
            + "independently of other examples and steps; "
            + (maximumBatchSize.map { "of more than \($0) a random subset of that size stays; " } ?? "")
            + "batches stay hidden."
    }

    /// ⌈T/b⌉ slots, b steps apart, each taken with probability q; of more than m who take theirs, m at random.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        if let maximumBatchSize {
            return try ParticipationPattern(
                iterations: iterations,
                choice: .truncated(
                    probability: Dyadic.roundedDown(samplingProbability), maximumBatchSize: maximumBatchSize,
                    unitCount: exampleCount / bands, period: bands),
                dependsOnUnitCount: true)
        }
        return try ParticipationPattern(
            iterations: iterations,
            choice: .slots(
                atMost: iterations.dividedUp(by: bands), separation: bands, probability: samplingProbability,
                choices: 1),
            dependsOnUnitCount: partition == .equalSizes)
    }

    /// There is none.
    package func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler {
        throw .needsAllExamples(
            sampler: Self.kind,
            reason: "its groups are drawn for many steps at once, and parts that are cut anew would change them")
    }

    /// The batch of `step`. O(batch); without a cache, and for its first batch, O(n).
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        let turn = SamplingCheck.split(step, by: bands).place
        let groups = cache.allocation(of: self, in: 0, from: source) {
            var stream = SamplingStream(source, .layout)
            var bins = [Int](repeating: 0, count: exampleCount)
            switch partition {
            case .independent:
                for example in bins.indices { bins[example] = stream.uniform(below: bands) }
            case .equalSizes:
                for (rank, example) in stream.permutation(of: exampleCount).enumerated() {
                    bins[example] = rank % bands
                }
            }
            return Allocation(binCount: bands, bins: bins)
        }
        let group = groups[turn]
        var stream = SamplingStream(source, .step(step))
        return stream.selection(of: group.count, probability: samplingProbability, atMost: maximumBatchSize)
            .map { group[group.startIndex + $0] }
    }
}

extension CyclicPoissonSampler: Codable {
    /// The keys of its numbers.
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case exampleCount, bands, samplingProbability, partition, maximumBatchSize
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would. The partition defaults to independent,
    /// and to equal sizes where batches are truncated.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let maximumBatchSize = try container.decodeIfPresent(Int.self, forKey: .maximumBatchSize)
        try self.init(
            exampleCount: container.decode(Int.self, forKey: .exampleCount),
            bands: container.decode(Int.self, forKey: .bands),
            samplingProbability: container.decode(Double.self, forKey: .samplingProbability),
            partition: container.decodeIfPresent(Partition.self, forKey: .partition)
                ?? (maximumBatchSize == nil ? .independent : .equalSizes),
            maximumBatchSize: maximumBatchSize)
    }
}

extension SamplingScheme {
    /// `"cyclic-poisson"`.
    public static func cyclicPoisson(_ sampler: CyclicPoissonSampler) -> SamplingScheme { SamplingScheme(sampler) }
}
