import CPrivacyKernels
import LinearAlgebra
import Requirements

/// A stream of independent standard normals in Float64, which can be read again: what it hands out is a place.
///
/// The bits come from AES-128 in counter mode, keyed by the operating system, or by a seed under a name that says that
/// this is not private. Normals 2i and 2i + 1 are the Box–Muller transform of the i-th block of 16 bytes from the place
/// on, with a radius of 62 random bits and one of 2⁶⁴ directions; they differ from the exact transform by at most 2⁻⁵⁰
/// times their radius.
///
/// **Guarantee:** the type is non-copyable and no place is handed out twice. Each unseeded stream has a fresh key.
struct WideNormals: ~Copyable, Sendable {
    /// Where numbers are read.
    let source: NormalSource
    /// The next unused block.
    private(set) var position: UInt64

    /// A stream under a fresh key, or the one of a seed from `position` on.
    init(nonPrivateSeed seed: UInt64?, position: UInt64 = 0) {
        source = NormalSource(stream: seed.map(KeyStream.init(nonPrivateSeed:)) ?? KeyStream())
        self.position = seed == nil ? 0 : position
    }

    /// The place of the next `count` normals, which nobody has.
    mutating func place(of count: Int) -> UInt64 {
        defer { position += UInt64((count + 1) / 2) }
        return position
    }
}

/// The numbers of ``WideNormals``, by their places.
struct NormalSource: Sendable {
    fileprivate let stream: KeyStream

    /// sum[j] += factor · (normal j), for the `numbers` of a chunk of those at `place`.
    func add(_ numbers: Range<Int>, from place: UInt64, factor: Double, to sum: UnsafeMutablePointer<Double>) {
        require(
            numbers.lowerBound.isMultiple(of: 2) && numbers.count <= 2 * KeyStream.blocksPerChunk,
            "Normals \(numbers) are not whole blocks, or are too many at once.")
        stream.withBlocks(
            from: place + UInt64(numbers.lowerBound / 2), count: (numbers.count + 1) / 2,
            domain: KeyStream.correlatedNoise
        ) { Kernels.active.add_wide_gaussian($0, numbers.count, factor, sum) }
    }
}
