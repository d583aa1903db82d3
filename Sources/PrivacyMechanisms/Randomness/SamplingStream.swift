import Requirements

/// The random bits of one step, one epoch, or the layout of a whole run: a sequence of 64-bit words from a key.
struct SamplingStream: RandomWords {
    /// What the bits are for. Each has a domain of the key's stream to itself, apart from those of noise.
    enum Purpose {
        /// One step's choice of who takes part: amplification rests on it. Drawn anew when a step is taken anew.
        case step(Int)
        /// One step's choice of examples of the users that take part: drawn anew when a step is taken anew.
        case members(Int)
        /// The structure of one epoch: an allocation, a permutation, slots. It stays when a run is interrupted.
        case epoch(Int)
        /// The structure of the whole run: a partition, phases. It stays when a run is interrupted.
        case layout

        fileprivate var domain: UInt64 {
            let (tag, index): (UInt64, Int) =
                switch self {
                case .step(let step): (1, step)
                case .epoch(let epoch): (2, epoch)
                case .layout: (3, 0)
                case .members(let step): (5, step)
                }
            require(
                (0..<1 << 56).contains(index), "Step or epoch \(index) was asked for, but they are in 0..<2⁵⁶.")
            return tag << 56 | UInt64(index)
        }
    }

    private static let blocksPerRead = 512

    private let stream: KeyStream
    private let domain: UInt64
    private var words: [UInt64] = []
    private var position = 0
    /// How many blocks of 16 bytes have been read.
    private(set) var blocksDrawn = 0

    init(_ source: SamplingSource, _ purpose: Purpose) {
        stream =
            switch purpose {
            case .step, .members: source.stepStream
            case .epoch, .layout: source.stream
            }
        domain = purpose.domain
    }

    /// The next 64 random bits.
    mutating func next() -> UInt64 {
        if position == words.count { refill() }
        defer { position += 1 }
        return words[position]
    }

    /// Reads twice as much each time, since most batches need few blocks and a partition needs many.
    private mutating func refill() {
        let count = min(Self.blocksPerRead, max(8, blocksDrawn))
        words = stream.withBlocks(from: UInt64(blocksDrawn), count: count, domain: domain) { bytes in
            let raw = UnsafeRawPointer(bytes)
            return (0..<2 * count).map {
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
            }
        }
        blocksDrawn += count
        position = 0
    }
}
