import CPrivacyKernels
import LinearAlgebra
import PyTrees
import Requirements

/// A stream of independent standard normal numbers, each handed out once.
///
/// The bits come from AES-128 in counter mode: keyed by the operating system, or by a seed under a name that says that
/// this is not private. Normals 2i and 2i + 1 are the Box–Muller transform of the stream's i-th block of 16 bytes, with
/// a radius of 62 random bits: values up to 9.3 standard deviations occur with their due probability. The transform's
/// error stays below 4 ulp of Float32 against the exact transform of the same bits.
///
/// The stream does not depend on the number of threads, on the processor's instruction set, or on how it is cut into
/// calls of even length; a call for an odd count skips the pair's second number.
///
/// **Guarantee:** the type is non-copyable and its position only moves forward, so no number is ever used twice. Each
/// unseeded stream has a fresh key. A process that forks copies its streams; do not fork while you hold one.
///
/// It is also the state of ``NoiseScheme/floatingPointGaussian`` noise.
///
/// - Warning: normals are rounded to Float32 and the noisy sum to Float32. The attack of Mironov (CCS 2012) on the
///   low-order bits of floating-point noise is not ruled out by this type.
public struct GaussianNoise: ~Copyable, Sendable {
    private let stream: KeyStream
    /// The next unused block.
    package private(set) var position: UInt64 = 0

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

    /// Fills `values` with the next standard normal numbers. O(count), on as many threads as `Threads.limit` allows.
    public mutating func fill(_ values: inout MutableSpan<Float>) {
        values.withUnsafeMutableBufferPointer { values in
            guard let base = values.baseAddress else { return }
            nonisolated(unsafe) let out = base
            forEachChunk(of: values.count) { blocks, numbers in
                Kernels.active.gaussian(blocks, numbers.count, out + numbers.lowerBound)
            }
        }
    }

    /// The next standard normal number.
    package mutating func next() -> Double {
        var number: [Float] = [0]
        var span = number.mutableSpan
        fill(&span)
        return Double(number[0])
    }

    /// out = sum · factor · scale + σ · ξ, in Float64, rounded once to Float32; the sum is zero afterwards.
    ///
    mutating func addNoise(
        to sum: AlignedStorage<Double>, factor: Double, scale: ParameterVector?, standardDeviation: Double,
        into out: inout ParameterVector
    ) {
        let layout = out.layout
        require(
            layout.count == sum.count, "A sum of \(sum.count) columns does not fit \(layout.count) parameters.")
        nonisolated(unsafe) let values = sum.base
        out.withUnsafeMutableValues { out in
            guard let base = out.baseAddress else { return }
            scale.withUnsafeValues(matching: layout) { scale in
                nonisolated(unsafe) let (base, scale) = (base, scale)
                forEachChunk(of: out.count) { blocks, numbers in
                    let begin = numbers.lowerBound
                    Kernels.active.add_gaussian(
                        blocks, numbers.count, values + begin, factor, scale.map { $0 + begin }, standardDeviation,
                        base + begin)
                    // Still in cache: the memory goes to the next batch without a trip of its own.
                    (values + begin).update(repeating: 0, count: numbers.count)
                }
            }
        }
    }

    /// Hands out the blocks for `count` numbers, chunk by chunk, on several threads, and moves on.
    private mutating func forEachChunk(
        of count: Int, _ body: @Sendable (UnsafePointer<UInt8>, Range<Int>) -> Void
    ) {
        let first = position
        position += UInt64((count + 1) / 2)
        let length = 2 * KeyStream.blocksPerChunk
        let chunks = (count + length - 1) / length
        // A chunk takes some twenty microseconds; a thread that sleeps takes ten times as long to wake.
        Threads.withTeam(of: chunks / Threads.workPerThread(16)) { member in
            for chunk in member.share(of: 0..<chunks) {
                let numbers = chunk * length..<min((chunk + 1) * length, count)
                stream.withBlocks(from: first + UInt64(numbers.lowerBound / 2), count: (numbers.count + 1) / 2) {
                    body($0, numbers)
                }
            }
        }
    }
}
