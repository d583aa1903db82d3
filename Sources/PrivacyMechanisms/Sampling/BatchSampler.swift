import PrivacyAccounting

/// How the batch of each step is chosen, and what may be claimed for it.
///
/// A sampler is plain configuration: it can be compared and coded, and decoding checks it as making it does. The batch
/// of a step is a pure function of configuration, source and step. Batches are ascending; which examples they hold is
/// private, and so is their size.
///
/// | sampler | a batch | event of T steps under Gaussian noise | relations |
/// |---|---|---|---|
/// | ``PoissonSampler`` | each example with probability q | T × Poisson(q) | all |
/// | ``UserSampler`` | each user with probability q, one example | T × Poisson(q), of a user | all |
/// | ``CyclicPoissonSampler`` | the same of group t mod b | ⌈T/b⌉ × Poisson(q) | all; equal groups: fixed n |
/// | ``BMinSepSampler`` | each example, at least b steps apart | K × Poisson(r), K ≈ T/F | all |
/// | ``TruncatedPoissonSampler`` | at most m of a Poisson sample | T × truncated Poisson | fixed n |
/// | ``FixedSizeSampler`` | m of n | T × m of n | replace-one |
/// | ``BallsInBinsSampler`` | bin t mod b | ⌈T/b⌉ × Gaussian | all |
/// | ``RandomAllocationSampler`` | k of t steps are each example's | (k·⌊T/t⌋ + …) × Gaussian | all |
/// | ``ShuffledEpochs`` | m of a shuffled epoch | epochs × Gaussian | fixed n |
///
/// "Fixed n" is replace-one and replace-special, where the number of examples is public.
///
/// **Guarantee:** what ``participation(in:)`` says is true of the batches, for two data sets that are neighbours under
/// any of ``relations``, whatever the source.
public protocol BatchSampler: Codable, Hashable, Sendable {
    /// The number of examples: batches hold indices in 0..<`exampleCount`.
    var exampleCount: Int { get }

    /// The constant N to divide clipped sums by: the expected size of a batch, never the size drawn.
    var expectedBatchSize: Double { get }

    /// Whose participation the pattern is about, and so whose privacy is protected.
    var privacyUnit: PrivacyUnit { get }

    /// The relations under which the pattern holds for both data sets, and an event made of it is valid.
    ///
    /// A layout that depends on how many examples there are, such as a permutation cut into batches, changes for all
    /// examples when one is added or removed; such samplers are not valid under
    /// ``NeighboringRelation/addOrRemoveOne``.
    var relations: Set<NeighboringRelation> { get }

    /// What a claim takes for granted about the sampling and the data, in one sentence, for reports.
    var assumption: String { get }

    /// What becomes of the batch of a step that is taken a second time, under another key for the choices of steps.
    var repetition: BatchRepetition { get }

    /// What is true of who takes part in the steps 0..<`iterations`. What they cost, a noise mechanism says.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` for a negative count.
    func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern

    /// The batch of `step` ≥ 0, ascending. The result does not depend on `cache`, which saves rebuilding an epoch's
    /// allocation for every step of it.
    func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int]
}

/// Whose data must be hard to tell from its absence.
public enum PrivacyUnit: String, Codable, Hashable, Sendable, CaseIterable {
    /// One example.
    case example
    /// One user, with all of the examples that are theirs.
    case user
}

/// What a step that is taken twice does with its batch: because the first was lost with an interrupted process, or
/// because two processes go on from copies of one checkpoint.
///
/// Each time has noise of its own. Who sees the outcomes of both has seen two releases, and the ε of a run counts one.
public enum BatchRepetition: Hashable, Sendable {
    /// The second time has a batch of its own: it costs as one more step.
    case drawsAnew
    /// The structure of the run decides the batch, which is the same: it costs each example in it one more Gaussian
    /// query. No amplification is claimed for such sampling, so that this is no more than with another batch.
    case repeatsTheBatch
}

extension BatchSampler {
    /// One example.
    public var privacyUnit: PrivacyUnit { .example }

    /// A batch of its own.
    public var repetition: BatchRepetition { .drawsAnew }

    /// The batch of `step` ≥ 0 alone. For a run of batches take ``Batches``, which keeps an epoch's allocation.
    public func batch(at step: Int, from source: SamplingSource) -> [Int] {
        var cache = SamplingCache()
        return batch(at: step, from: source, cache: &cache)
    }
}

/// What a sampler keeps from one batch to the next: at most one allocation of examples to steps.
public struct SamplingCache: Sendable {
    private var owner: Owner?
    private var allocation = Allocation(binCount: 0, bins: [])

    private struct Owner: Sendable {
        let sampler: any BatchSampler
        let source: SamplingSource
        let epoch: Int
    }

    /// An empty cache.
    public init() {}

    /// The allocation of `sampler` in `epoch`, built anew unless it is the one that is kept.
    mutating func allocation<Sampler: BatchSampler>(
        of sampler: Sampler, in epoch: Int, from source: SamplingSource, _ build: () -> Allocation
    ) -> Allocation {
        if let owner, owner.epoch == epoch, owner.source == source, owner.sampler as? Sampler == sampler {
            return allocation
        }
        // The old one's memory goes before the new one's is taken.
        allocation = Allocation(binCount: 0, bins: [])
        allocation = build()
        owner = Owner(sampler: sampler, source: source, epoch: epoch)
        return allocation
    }
}
