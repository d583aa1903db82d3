import Requirements

/// The lazy bits of one chunk: 64 at a time from its reserve, and after that from the rest of the chunk's range.
struct ChunkBits: RandomNumberGenerator {
    /// A proposal in a hundred needs a word; of 4224 proposals, more than 128 do so with less than 2⁻⁵⁰.
    static let reserveBlocks = 64
    static let rangeBlocks: UInt64 = 1 << 13

    private let stream: KeyStream
    private var block: UInt64
    private let end: UInt64
    private let reserve: UnsafePointer<UInt8>
    private var further: [UInt64] = []
    private var used = 0
    private var isInReserve = true

    /// `reserve` holds the ``reserveBlocks`` blocks before number `block`; the range ends before number `end`.
    init(reserve: UnsafePointer<UInt8>, before block: UInt64, end: UInt64, of stream: KeyStream) {
        (self.reserve, self.block, self.end, self.stream) = (reserve, block, end, stream)
    }

    mutating func next() -> UInt64 {
        if used == 2 * Self.reserveBlocks { readOn() }
        defer { used += 1 }
        return isInReserve ? Self.word(reserve, used) : further[used]
    }

    private mutating func readOn() {
        // Less likely than any failure of the processor: some sixteen thousand words where fifty are expected.
        require(block + UInt64(Self.reserveBlocks) <= end, "A chunk of discrete noise used up its range of the stream.")
        further = stream.withBlocks(
            from: block, count: Self.reserveBlocks, domain: KeyStream.discreteNoise
        ) { bytes in
            (0..<2 * Self.reserveBlocks).map { Self.word(bytes, $0) }
        }
        block += UInt64(Self.reserveBlocks)
        (used, isInReserve) = (0, false)
    }

    private static func word(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
}
