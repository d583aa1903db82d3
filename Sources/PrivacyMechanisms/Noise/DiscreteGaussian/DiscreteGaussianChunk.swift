import CPrivacyKernels

/// Draws one chunk after the other into memory of its own.
final class DiscreteGaussianChunk {
    /// Short enough that proposals, bits and integers stay in the second-level cache.
    static let length = 4096

    private let table: DiscreteGaussianTable
    private let stream: KeyStream
    private let integers: UnsafeMutablePointer<Int32>
    private let undecided: UnsafeMutablePointer<UInt32>

    init(_ table: DiscreteGaussianTable, _ stream: KeyStream) {
        (self.table, self.stream) = (table, stream)
        integers = .allocate(capacity: Self.proposals(for: Self.length))
        undecided = .allocate(capacity: Self.proposals(for: Self.length))
    }

    deinit {
        integers.deallocate()
        undecided.deallocate()
    }

    /// How many proposals are made for `count` integers, whatever their law: fewer than `count` of them are accepted
    /// with less than 2⁻¹⁰⁰. Derived in DiscreteGaussianProof.md, section 6.
    static func proposals(for count: Int) -> Int {
        (count + count / 64 + 64 + 15) / 16 * 16
    }

    /// The first `count` accepted proposals, in order, of the range of blocks that begins at `block`; valid until the
    /// next call.
    func draw(_ count: Int, from block: UInt64) -> UnsafePointer<Int32> {
        let proposals = Self.proposals(for: count)
        let blocks = proposals / 2 + ChunkBits.reserveBlocks
        stream.withBlocks(from: block, count: blocks, domain: KeyStream.discreteNoise) { bytes in
            var bits = ChunkBits(
                reserve: bytes + 8 * proposals, before: block + UInt64(blocks), end: block + ChunkBits.rangeBlocks,
                of: stream)
            let open = table.withKernelTable { table in
                withUnsafePointer(to: table) {
                    Kernels.active.propose_discrete(bytes, proposals, $0, integers, undecided)
                }
            }
            var found = settle(open, among: proposals, bytes, &bits)
            while found < count {
                let word = bits.next()
                guard let x = table.draw(UInt32(word >> 32), UInt32(truncatingIfNeeded: word), using: &bits) else {
                    continue
                }
                integers[found] = Int32(x)
                found += 1
            }
        }
        return UnsafePointer(integers)
    }

    /// Settles the undecided ones and closes the gaps of the refused ones; returns how many are left.
    private func settle(
        _ open: Int, among proposals: Int, _ bytes: UnsafePointer<UInt8>, _ bits: inout ChunkBits
    ) -> Int {
        var (found, begin) = (0, 0)
        func keep(_ places: Range<Int>) {
            // Before the first gap everything is in its place.
            if found != places.lowerBound {
                (integers + found).update(from: integers + places.lowerBound, count: places.count)
            }
            found += places.count
        }
        for index in 0..<open {
            let place = Int(undecided[index])
            let offset = place / 16 * 128 + place % 16 * 4
            if let x = table.settle(Self.word(bytes, offset), Self.word(bytes, offset + 64), using: &bits) {
                integers[place] = Int32(x)
            } else {
                keep(begin..<place)
                begin = place + 1
            }
        }
        keep(begin..<proposals)
        return found
    }

    private static func word(_ bytes: UnsafePointer<UInt8>, _ offset: Int) -> UInt32 {
        UInt32(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
