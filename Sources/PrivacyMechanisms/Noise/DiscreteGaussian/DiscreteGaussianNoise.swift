import CPrivacyKernels
import LinearAlgebra
import Requirements

/// A stream of independent integers of the discrete Gaussian N_ℤ(0, σ²), P(x) ∝ exp(-x²/2σ²), each handed out once.
///
/// The bits come from AES-128 in counter mode: keyed by the operating system, or by a seed under a name that says that
/// this is not private. It shares no block with ``GaussianNoise`` of the same seed. A call's integers are cut into
/// chunks of 4096. Chunk k owns 2¹³ blocks of the counter, from the position at the call plus k·2¹³ on.
///
/// The stream does not depend on the number of threads or on the processor's instruction set. It does depend on how it
/// is cut into calls.
///
/// **Guarantee:** given ideal random bits, the law is N_ℤ(0, σ²) exactly, conditioned on |x| < 2³¹, with 1/(2σ²) the
/// Float64 not above that of the σ asked for. What is cut off has a probability below 2·e⁻⁵¹². See
/// <doc:DiscreteGaussianProof>.
///
/// **Guarantee:** the type is non-copyable and its position only moves forward, so no integer is ever used twice. Each
/// unseeded stream has a fresh key. A process that forks copies its streams; do not fork while you hold one.
///
/// - Note: the running time of a rejection sampler may tell something of its values (arXiv 2112.05307). A chunk makes a
///   fixed number of proposals and takes the accepted ones in order. Its time depends on how many proposals were
///   undecided or refused and where their places are, and on nothing else of a single integer.
public struct DiscreteGaussianNoise: ~Copyable, Sendable {
    private let stream: KeyStream
    /// The next unused block.
    package private(set) var position: UInt64 = 0
    /// The tables of the last calls: a run has one σ for its sums and another for its counts.
    private var tables: [(sigma: Double, table: DiscreteGaussianTable)] = []

    /// Cryptographic noise under a fresh key from the operating system.
    public init() {
        stream = KeyStream()
    }

    /// Reproducible noise. **Not private**: whoever knows the seed can subtract the noise. For tests and benchmarks.
    public init(nonPrivateSeed seed: UInt64) {
        stream = KeyStream(nonPrivateSeed: seed)
    }

    /// The stream of `init(nonPrivateSeed:)` from `position` on: a run that goes on where it was interrupted. Streams
    /// with a secure key cannot be resumed: their key is nowhere.
    package init(nonPrivateSeed seed: UInt64, resumingAt position: UInt64) {
        stream = KeyStream(nonPrivateSeed: seed)
        self.position = position
    }

    /// Fills `values` with the next integers of N_ℤ(0, σ²). O(count), on as many threads as `Threads.limit` allows.
    ///
    /// Traps unless σ is in [0.25, 2²⁶].
    public mutating func fill(_ values: inout MutableSpan<Int32>, sigma: Double) {
        let table = table(sigma: sigma)
        values.withUnsafeMutableBufferPointer { values in
            guard let base = values.baseAddress else { return }
            nonisolated(unsafe) let out = base
            forEachChunk(of: values.count, table) { integers, places in
                (out + places.lowerBound).update(from: integers, count: places.count)
            }
        }
    }

    /// The next integer of N_ℤ(0, σ²). Traps unless σ is in [0.25, 2²⁶].
    package mutating func next(sigma: Double) -> Int {
        var integer: [Int32] = [0]
        var span = integer.mutableSpan
        fill(&span, sigma: sigma)
        return Int(integer[0])
    }

    /// Hands out those of `count` integers that are at `places`, chunk by chunk, on several threads, and moves on.
    ///
    /// `body` gets the integers of the places that it is given; they are valid during the call. `places`, all of them
    /// unless they are given, begin with a chunk; the others are handed out to nobody.
    package mutating func forEachChunk(
        of count: Int, at places: Range<Int>? = nil, _ table: DiscreteGaussianTable,
        _ body: @Sendable (UnsafePointer<Int32>, Range<Int>) -> Void
    ) {
        let (first, length) = (position, DiscreteGaussianChunk.length)
        func chunks(_ count: Int) -> Int { (count + length - 1) / length }
        position += UInt64(chunks(count)) * ChunkBits.rangeBlocks
        let places = places ?? 0..<count
        if places.isEmpty { return }
        require(
            places.lowerBound.isMultiple(of: length),
            "Integers \(places) do not begin with a chunk of \(length).")
        let (stream, end, numbers) = (stream, places.upperBound, places.lowerBound / length..<chunks(places.upperBound))
        // A chunk takes some twenty microseconds; a thread that sleeps takes ten times as long to wake.
        Threads.withTeam(of: numbers.count / Threads.workPerThread(16)) { member in
            let chunk = DiscreteGaussianChunk(table, stream)
            for number in member.share(of: numbers) {
                let begin = number * length
                let places = begin..<min(begin + length, end)
                body(chunk.draw(places.count, from: first + UInt64(number) * ChunkBits.rangeBlocks), places)
            }
        }
    }

    mutating func table(sigma: Double) -> DiscreteGaussianTable {
        if let known = tables.first(where: { $0.sigma == sigma }) { return known.table }
        let table = DiscreteGaussianTable(sigma: sigma)
        tables = tables.suffix(1) + [(sigma, table)]
        return table
    }
}
