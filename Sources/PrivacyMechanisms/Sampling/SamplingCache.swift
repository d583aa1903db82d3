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
