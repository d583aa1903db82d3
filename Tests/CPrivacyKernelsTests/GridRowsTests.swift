import CPrivacyKernels
import Testing

/// Rows that are added on the integer grid, against Swift's own roundings.
struct GridRowsTests {
    private static let counts = Array(0...40) + [1003]

    /// A number near 2³⁰, or a smaller one, which is often a tie.
    private static func number(_ generator: inout SeededGenerator, isLarge: Bool) -> Float {
        let sign: Float = generator.next() & 1 == 0 ? 1 : -1
        if isLarge { return sign * Float.random(in: 0x1p29...0x1p30, using: &generator) }
        if generator.next() & 1 == 0 { return sign * Float.random(in: 0...0x1p20, using: &generator) }
        return sign * (Float(Int.random(in: 0...1000, using: &generator)) + 0.5)
    }

    private static func weight(_ generator: inout SeededGenerator) -> Float {
        [1, -1, 0.5, 0.7, Float.random(in: -1...1, using: &generator)].randomElement(using: &generator)!
    }

    private static func sums(_ count: Int, _ generator: inout SeededGenerator) -> [Int32] {
        (0..<count).map { _ in Int32.random(in: -(1 << 29)...1 << 29, using: &generator) }
    }

    // MARK: Many rows

    private typealias AddRows = (
        UnsafePointer<UnsafePointer<Float>>, UnsafePointer<Float>, _ rowCount: Int, _ offset: Int, _ count: Int,
        UnsafePointer<Float>?, UnsafeMutablePointer<Int32>
    ) -> Void

    /// The definition, with a rule for what a number, its scale and the row's factor become.
    private static func adding(_ rule: @escaping (Float, Float?, Float) -> Int32) -> AddRows {
        { rows, factors, rowCount, offset, count, scale, sum in
            for j in offset..<offset + count {
                for row in 0..<rowCount { sum[j] += rule(rows[row][j], scale?[j], factors[row]) }
            }
        }
    }

    private static var exact: AddRows {
        adding { value, scale, factor in
            Int32(((scale.map { value * $0 } ?? value) * factor).rounded(.toNearestOrEven))
        }
    }

    /// How many calls leave other sums than the definition does, also beside the columns that they were asked for.
    private static func failures(of subject: AddRows) -> Int {
        var generator = SeededGenerator(seed: 81)
        var failures = 0
        for fence in Fence.allCases {
            for count in counts {
                for rowCount in count > 40 ? [3, 4, 9] : [0, 1, 4, 7] {
                    let offset = fence == .before ? 0 : count % 4
                    let length = offset + count + (fence == .before ? 5 : 0)
                    let rows = (0..<rowCount).map { row in
                        FencedBuffer(
                            (0..<length).map { number(&generator, isLarge: $0 % rowCount == row) }, fence: fence)
                    }
                    let factors = FencedBuffer((0..<rowCount).map { _ in weight(&generator) }, fence: fence)
                    let scale = FencedBuffer((0..<length).map { _ in weight(&generator) }, fence: fence)
                    let pointers = rows.map { UnsafePointer($0.base) }
                    for scaling in [nil, UnsafePointer(scale.base)] {
                        let start = sums(length, &generator)
                        let (sum, expected) = (FencedBuffer(start, fence: fence), FencedBuffer(start, fence: fence))
                        subject(pointers, factors.base, rowCount, offset, count, scaling, sum.base)
                        exact(pointers, factors.base, rowCount, offset, count, scaling, expected.base)
                        if sum.elements != expected.elements { failures += 1 }
                    }
                    withExtendedLifetime((rows, factors, scale)) {}
                }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func eachRowIsRoundedByItself(level: Level) {
        #expect(Self.failures(of: level.kernels.add_grid_rows) == 0)
    }

    @Test func otherRoundingsAreRejected() {
        let tiesAway = Self.adding { value, scale, factor in
            Int32(((scale.map { value * $0 } ?? value) * factor).rounded(.toNearestOrAwayFromZero))
        }
        let factorFirst = Self.adding { value, scale, factor in
            Int32((value * factor * (scale ?? 1)).rounded(.toNearestOrEven))
        }
        let inFloat64 = Self.adding { value, scale, factor in
            Int32((Double(value) * Double(scale ?? 1) * Double(factor)).rounded(.toNearestOrEven))
        }
        let rowsTogether: AddRows = { rows, factors, rowCount, offset, count, scale, sum in
            for j in offset..<offset + count {
                let terms = (0..<rowCount).map { Double(rows[$0][j] * (scale?[j] ?? 1) * factors[$0]) }
                sum[j] += Int32(terms.reduce(0, +).rounded(.toNearestOrEven))
            }
        }
        let withoutTheLast: AddRows = { Self.exact($0, $1, $2, $3, max(0, $4 - 1), $5, $6) }
        for broken in [tiesAway, factorFirst, inFloat64, rowsTogether, withoutTheLast] {
            #expect(Self.failures(of: broken) > 100)
        }
    }

    @Test(arguments: Level.available)
    func columnsBesideTheRangeStay(level: Level) {
        let row: [Float] = [1, 2, 3, 4, 5]
        var sum: [Int32] = [10, 20, 30, 40, 50]
        row.withUnsafeBufferPointer { row in
            level.kernels.add_grid_rows([row.baseAddress!], [1], 1, 1, 3, nil, &sum)
        }
        #expect(sum == [10, 22, 33, 44, 50])
    }

    // MARK: One row near the ends of Float32's range

    private typealias AddWide = (
        UnsafePointer<Float>, _ factor: Double, Int, UnsafePointer<Float>?, UnsafeMutablePointer<Int32>
    ) -> Void

    private static func addingWide(_ rule: @escaping (Float, Double, Float?) -> Int32) -> AddWide {
        { row, factor, count, scale, sum in
            for j in 0..<count { sum[j] += rule(row[j], factor, scale?[j]) }
        }
    }

    private static var exactWide: AddWide {
        addingWide { value, factor, scale in
            Int32((factor * Double(value) * Double(scale ?? 1)).rounded(.toNearestOrEven))
        }
    }

    private static func wideFailures(of subject: AddWide) -> Int {
        var generator = SeededGenerator(seed: 82)
        var failures = 0
        for fence in Fence.allCases {
            for count in counts {
                // Numbers of 2⁻¹²⁵ and less lose bits of theirs; numbers of 2¹²⁷ are there.
                for (exponent, share) in [(-145, 1), (-100, -1), (0, 0.3), (97, 1), (97, -0.3)] {
                    let size = Float(sign: .plus, exponent: exponent, significand: 1)
                    let factor = Double(sign: .plus, exponent: -exponent, significand: 1) * share
                    let row = FencedBuffer(
                        (0..<count).map { number(&generator, isLarge: $0 % 5 == 0) * size }, fence: fence)
                    let scale = FencedBuffer((0..<count).map { _ in weight(&generator) }, fence: fence)
                    for scaling in [nil, UnsafePointer(scale.base)] {
                        let start = sums(count, &generator)
                        let (sum, expected) = (FencedBuffer(start, fence: fence), FencedBuffer(start, fence: fence))
                        subject(row.base, factor, count, scaling, sum.base)
                        exactWide(row.base, factor, count, scaling, expected.base)
                        if sum.elements != expected.elements { failures += 1 }
                    }
                    withExtendedLifetime((row, scale)) {}
                }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func wideRowsAreMultipliedInFloat64(level: Level) {
        #expect(Self.wideFailures(of: level.kernels.add_wide_grid_row) == 0)
    }

    @Test func otherWideRoundingsAreRejected() {
        let tiesAway = Self.addingWide { value, factor, scale in
            Int32((factor * Double(value) * Double(scale ?? 1)).rounded(.toNearestOrAwayFromZero))
        }
        let inFloat32 = Self.addingWide { value, factor, scale in
            Int32(exactly: (Float(factor) * value * (scale ?? 1)).rounded(.toNearestOrEven)) ?? 0
        }
        let downward = Self.addingWide { value, factor, scale in
            Int32((factor * Double(value) * Double(scale ?? 1)).rounded(.down))
        }
        for broken in [tiesAway, inFloat32, downward] { #expect(Self.wideFailures(of: broken) > 100) }
    }

    // MARK: Into 64 bits

    private typealias Carry = (Int, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<Int64>) -> Void

    private static func carryFailures(of subject: Carry) -> Int {
        var generator = SeededGenerator(seed: 83)
        var failures = 0
        for fence in Fence.allCases {
            for count in counts {
                var numbers = (0..<count).map { _ in Int32.random(in: .min ... .max, using: &generator) }
                if count > 1 { (numbers[0], numbers[count - 1]) = (.min, .max) }
                let start = (0..<count).map { _ in Int64.random(in: -(1 << 62)...1 << 62, using: &generator) }
                let sum = FencedBuffer(numbers, fence: fence)
                let carried = FencedBuffer(start, fence: fence)
                subject(count, sum.base, carried.base)
                let expected = zip(numbers, start).map { Int64($0) + $1 }
                if sum.elements.contains(where: { $0 != 0 }) || carried.elements != expected { failures += 1 }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func sumsAreCarriedAndCleared(level: Level) {
        #expect(Self.carryFailures(of: level.kernels.carry) == 0)
    }

    @Test func lostSignsAndKeptSumsAreRejected() {
        let unsigned: Carry = { count, sum, carried in
            for j in 0..<count {
                carried[j] += Int64(UInt32(bitPattern: sum[j]))
                sum[j] = 0
            }
        }
        let kept: Carry = { count, sum, carried in
            for j in 0..<count { carried[j] += Int64(sum[j]) }
        }
        #expect(Self.carryFailures(of: unsigned) > 70)
        #expect(Self.carryFailures(of: kept) > 70)
    }
}
