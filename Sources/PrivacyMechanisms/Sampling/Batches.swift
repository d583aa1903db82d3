import Requirements

/// The batches of a sampling scheme from any step on, lazily and without end: take as many as the run has steps.
///
///     for batch in Batches(sampling, from: source, startingAt: step).prefix(iterations - step) { … }
///
/// Starting at t costs no more than starting at 0, except that samplers with an allocation build it once.
public struct Batches: Sequence, Sendable {
    /// What chooses the batches.
    public let sampling: SamplingScheme
    private let source: SamplingSource
    private let start: Int
    private let multiple: Int

    /// Batches from `startingAt` on. Each is padded with −1 at its end to a multiple of `paddedToMultipleOf`; an empty
    /// batch stays empty. Traps for a negative step or a multiple below 1.
    public init(
        _ sampling: SamplingScheme, from source: SamplingSource, startingAt step: Int = 0,
        paddedToMultipleOf multiple: Int = 1
    ) {
        require(step >= 0, "Batches begin at step \(step), but steps begin at 0.")
        require(multiple >= 1, "Batches are padded to a multiple of \(multiple), but it must be at least 1.")
        self.sampling = sampling
        self.source = source
        self.start = step
        self.multiple = multiple
    }

    /// An iterator that begins at the first of these batches.
    public func makeIterator() -> Iterator {
        Iterator(sampling: sampling, source: source, multiple: multiple, step: start)
    }

    /// Goes from batch to batch, and keeps what the sampler would otherwise build for each of them.
    public struct Iterator: IteratorProtocol, Sendable {
        fileprivate let sampling: SamplingScheme
        fileprivate let source: SamplingSource
        fileprivate let multiple: Int
        /// The step whose batch comes next.
        public fileprivate(set) var step: Int
        private var cache = SamplingCache()

        fileprivate init(sampling: SamplingScheme, source: SamplingSource, multiple: Int, step: Int) {
            self.sampling = sampling
            self.source = source
            self.multiple = multiple
            self.step = step
        }

        /// The next batch; never nil.
        public mutating func next() -> Batch? {
            defer { step += 1 }
            return sampling.batch(at: step, from: source, cache: &cache).padded(toMultipleOf: multiple)
        }
    }
}
