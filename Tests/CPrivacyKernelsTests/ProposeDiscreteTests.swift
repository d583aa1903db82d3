import CPrivacyKernels
import Testing

struct ProposeDiscreteTests {
    private struct Tables {
        let entries: FencedBuffer<UInt32>
        let quick: FencedBuffer<UInt32>
        let shift: Int32

        init(shift: Int32, seed: UInt64) {
            var generator = SeededGenerator(seed: seed)
            self.shift = shift
            entries = FencedBuffer((0..<2048).map { _ in UInt32(truncatingIfNeeded: generator.next()) })
            // One in four accepts nothing, the others everything but an eighth.
            let top = UInt32.max >> UInt32(shift)
            quick = FencedBuffer((0..<2048).map { _ in generator.next() % 4 == 0 ? 0 : top - top / 8 })
        }

        /// The formula of `discrete.inc`, one proposal after the other.
        func reference(_ words: [UInt32]) -> (x: [Int32], undecided: [UInt32]) {
            var result: (x: [Int32], undecided: [UInt32]) = ([], [])
            for place in 0..<words.count / 2 {
                let at = place / 16 * 32 + place % 16
                let (first, second) = (words[at], words[at + 16])
                let entry = entries.base[Int(first >> 21)]
                let cell = first & 0x1f_ffff < entry >> 11 ? first >> 21 : entry & 2047
                let offset = Int(second) & ((1 << Int(shift)) - 1)
                result.x.append(Int32((Int(cell) - 1023) << Int(shift) + offset))
                if second >> UInt32(shift) >= quick.base[Int(cell)] { result.undecided.append(UInt32(place)) }
            }
            return result
        }

        func run(_ level: Level, _ words: [UInt32]) -> (x: [Int32], undecided: [UInt32]) {
            let bits = FencedBuffer(words.withUnsafeBytes { Array($0) })
            let x = FencedBuffer([Int32](repeating: -7, count: words.count / 2))
            let undecided = FencedBuffer([UInt32](repeating: 7, count: words.count / 2))
            var table = dpk_discrete(entries: entries.base, quick: quick.base, shift: shift)
            let found = level.kernels.propose_discrete(bits.base, words.count / 2, &table, x.base, undecided.base)
            return withExtendedLifetime((self, bits)) { (x.elements, Array(undecided.elements[..<found])) }
        }
    }

    @Test(arguments: Level.available)
    func levelsFollowTheFormulaToTheBit(level: Level) {
        var generator = SeededGenerator(seed: 71)
        for shift in [Int32(0), 1, 7, 19, 20] {
            let tables = Tables(shift: shift, seed: 72)
            for count in [0, 16, 32, 48, 4096] {
                let words = (0..<2 * count).map { _ in UInt32(truncatingIfNeeded: generator.next()) }
                let (expected, found) = (tables.reference(words), tables.run(level, words))
                #expect(found.x == expected.x && found.undecided == expected.undecided)
                // Control: the words in another order are other proposals.
                guard count > 0 else { continue }
                #expect(tables.run(level, words.reversed()).x != expected.x)
            }
        }
    }

    @Test(arguments: Level.available)
    func boundariesGoTheRightWay(level: Level) {
        // Every coin equals quick, or is one below; every keep equals the threshold, or is one below.
        let tables = Tables(shift: 4, seed: 73)
        let words = stride(from: 0, to: 2048, by: 16).flatMap { begin -> [UInt32] in
            let firsts = (begin..<begin + 16).map { index in
                let threshold = tables.entries.base[index] >> 11
                return UInt32(index) << 21 | (index % 2 == 0 || threshold == 0 ? threshold : threshold - 1)
            }
            let seconds = firsts.enumerated().map { lane, first -> UInt32 in
                let entry = tables.entries.base[Int(first >> 21)]
                let cell = first & 0x1f_ffff < entry >> 11 ? first >> 21 : entry & 2047
                let quick = tables.quick.base[Int(cell)]
                return (lane % 4 < 2 || quick == 0 ? quick : quick - 1) << 4 | 15
            }
            return firsts + seconds
        }
        let (expected, found) = (tables.reference(words), tables.run(level, words))
        #expect(found.x == expected.x && found.undecided == expected.undecided)
        #expect(expected.undecided.count > 500 && expected.undecided.count < 1600)
    }
}
