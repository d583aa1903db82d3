import CPrivacyKernels
import Testing

/// Sums of outer products of 16-bit numbers, and how pairs of them are packed.
struct OuterProductTests {
    // MARK: Packing

    private typealias Pack = (
        _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>?, _ count: Int, _ width: Int, _ step: Int,
        UnsafeMutablePointer<Int32>
    ) -> Void

    /// The definition, with a rule for how two numbers become one.
    private static func packing(_ rule: @escaping (Int32, Int32) -> Int32) -> Pack {
        { first, second, count, width, step, panels in
            for panel in 0..<(count + width - 1) / width {
                for lane in 0..<width {
                    let j = panel * width + lane
                    panels[panel * step + lane] =
                        j < count ? rule(Int32(first[j]), second.map { Int32($0[j]) } ?? 0) : 0
                }
            }
        }
    }

    private static func pair(_ low: Int32, _ high: Int32) -> Int32 {
        Int32(bitPattern: UInt32(UInt16(bitPattern: Int16(low))) | UInt32(UInt16(bitPattern: Int16(high))) << 16)
    }

    private static var exactPacking: Pack { packing(pair) }

    private static func packingFailures(of subject: Pack, widths: [Int]) -> Int {
        var generator = SeededGenerator(seed: 88)
        func numbers(_ count: Int) -> [Float] {
            (0..<count).map { _ in
                [32_767, -32_767, 0, -1, Float(Int.random(in: -32_767...32_767, using: &generator))]
                    .randomElement(using: &generator)!
            }
        }
        var failures = 0
        for fence in Fence.allCases {
            for count in Array(0...40) + [1003] {
                let first = FencedBuffer(numbers(count), fence: fence)
                let second = FencedBuffer(numbers(count), fence: fence)
                for width in widths {
                    for (step, second) in [(width, nil), (width + 5, UnsafePointer(second.base))] {
                        // What lies between the panels stays.
                        let length = max(0, (count + width - 1) / width * step - (step - width))
                        let untouched = [Int32](repeating: -7, count: length)
                        let panels = FencedBuffer(untouched, fence: fence)
                        let expected = FencedBuffer(untouched, fence: fence)
                        subject(first.base, second, count, width, step, panels.base)
                        exactPacking(first.base, second, count, width, step, expected.base)
                        if panels.elements != expected.elements { failures += 1 }
                    }
                }
                withExtendedLifetime((first, second)) {}
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func pairsFillPanels(level: Level) {
        let widths = [level.kernels.outer_rows, level.kernels.outer_columns, 12]
        #expect(Self.packingFailures(of: level.kernels.pack_pairs, widths: widths) == 0)
    }

    @Test func swappedHalvesAndLeakingSignsAreRejected() {
        let swapped = Self.packing { Self.pair($1, $0) }
        let leaking = Self.packing { $0 | $1 << 16 }
        let unfilled: Pack = { first, second, count, width, step, panels in
            for j in 0..<count {
                panels[j / width * step + j % width] = Self.pair(Int32(first[j]), second.map { Int32($0[j]) } ?? 0)
            }
        }
        for broken in [swapped, leaking, unfilled] {
            #expect(Self.packingFailures(of: broken, widths: [4, 8, 32]) > 100)
        }
    }

    // MARK: Products

    private typealias AddProducts = (
        UnsafePointer<Int32>, UnsafePointer<Int32>, _ pairs: Int, _ chain: Int, _ rows: Int, _ columns: Int,
        UnsafeMutablePointer<Int64>, _ step: Int
    ) -> Void

    /// A tile's size in memory.
    private struct Tile {
        let height: Int
        let width: Int

        /// The definition in 64 bits, one product after the other.
        func add(
            _ a: [Int32], _ e: [Int32], _ pairs: Int, _ rows: Int, _ columns: Int,
            to sum: UnsafeMutablePointer<Int64>, _ step: Int
        ) {
            for (r, c) in (0..<rows).flatMap({ r in (0..<columns).map { (r, $0) } }) {
                for i in 0..<pairs {
                    let (left, right) = (a[i * height + r], e[i * width + c])
                    let lower = Int64(Int16(truncatingIfNeeded: left)) * Int64(Int16(truncatingIfNeeded: right))
                    sum[r * step + c] += lower + Int64(left >> 16) * Int64(right >> 16)
                }
            }
        }

        /// How many tiles are not as defined. Numbers are as large as the chain allows.
        func failures(of subject: AddProducts) -> Int {
            var generator = SeededGenerator(seed: 89)
            var failures = 0
            let lengths = [(0, 1), (1, 1), (1, 9), (2, 1), (3, 2), (4, 2), (7, 3), (64, 32), (65, 32), (9, Int.max)]
            for (pairs, chain) in lengths {
                // A chain of 2·c products of magnitude m² stays below 2³¹; for c = 1, m is 32,767.
                let most = Int32(Double(Int32.max / Int32(2 * min(chain, max(1, pairs)))).squareRoot())
                func numbers(_ count: Int) -> [Int32] {
                    (0..<count).map { _ in
                        func number() -> Int32 {
                            generator.next() % 4 == 0
                                ? Int32.random(in: -most...most, using: &generator)
                                : generator.next() % 8 == 0 ? -most : most
                        }
                        return OuterProductTests.pair(number(), number())
                    }
                }
                let (a, e) = (numbers(pairs * height), numbers(pairs * width))
                let fenced = (FencedBuffer(a), FencedBuffer(e))
                for rows in [0, 1, 2, 3, height - 1, height] {
                    for columns in 0...width {
                        let step = columns + rows % 2 * 3
                        let length = rows > 0 ? (rows - 1) * step + columns : 0
                        let start = (0..<length).map { _ in Int64.random(in: -(1 << 60)...1 << 60, using: &generator) }
                        let (sum, expected) = (FencedBuffer(start), FencedBuffer(start))
                        subject(fenced.0.base, fenced.1.base, pairs, chain, rows, columns, sum.base, step)
                        add(a, e, pairs, rows, columns, to: expected.base, step)
                        if sum.elements != expected.elements { failures += 1 }
                    }
                }
                withExtendedLifetime(fenced) {}
            }
            return failures
        }
    }

    @Test(arguments: Level.available)
    func productsAreExact(level: Level) {
        let kernels = level.kernels
        let tile = Tile(height: kernels.outer_rows, width: kernels.outer_columns)
        #expect(tile.failures(of: kernels.add_outer_products) == 0)
        #expect(tile.failures(of: kernels.add_outer_products_baseline) == 0)
    }

    @Test func sumsOf32BitsAndMissingHalvesAreRejected() {
        let tile = Tile(height: 4, width: 8)
        /// The kernel's sums, in Swift: a chain in 32 bits, then into the sum.
        func chained(_ chain: @escaping (Int) -> Int, halves: Int) -> AddProducts {
            { a, e, pairs, length, rows, columns, sum, step in
                for (r, c) in (0..<rows).flatMap({ r in (0..<columns).map { (r, $0) } }) {
                    var part: Int32 = 0
                    for i in 0..<pairs {
                        let (left, right) = (a[i * 4 + r], e[i * 8 + c])
                        part &+= Int32(Int16(truncatingIfNeeded: left)) * Int32(Int16(truncatingIfNeeded: right))
                        if halves == 2 { part &+= (left >> 16) * (right >> 16) }
                        if (i + 1) % min(chain(length), pairs) == 0 || i == pairs - 1 {
                            sum[r * step + c] += Int64(part)
                            part = 0
                        }
                    }
                }
            }
        }
        #expect(tile.failures(of: chained({ $0 }, halves: 2)) == 0)
        // Controls: chains twice as long overflow; the second number of each pair is missing.
        #expect(tile.failures(of: chained({ $0 < 99 ? 2 * $0 : $0 }, halves: 2)) > 100)
        #expect(tile.failures(of: chained({ $0 }, halves: 1)) > 100)
    }
}
