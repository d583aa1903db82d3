import CPrivacyKernels
import Foundation
import Testing

/// Noise in Float64: normals, their combinations, and how they are rounded.
struct WideNoiseTests {
    private typealias Normals = (UnsafePointer<UInt8>, Int, Double, UnsafeMutablePointer<Double>) -> Void

    /// Blocks of every kind: random ones, the least and largest radii, and directions beside the axes.
    private static let blocks: [Block] = {
        var blocks = [Block].random(20_000, seed: 12)
        for k: UInt64 in [1, 3, 1 << 31 | 1, (1 << 62) - 1, (1 << 62) - 3, 0x2d41_3ccd_0000_0001] {
            for upper in [false, true] {
                for angle: UInt32 in [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
                    for signs: UInt32 in [0, 0x3fff_ffff, 0x7fff_ffff, 0xffff_ffff] {
                        blocks.append(Block(radius: k, upper: upper, angle: angle, signs: signs))
                    }
                }
            }
        }
        return blocks
    }()

    private static func numbers(_ normals: Normals, _ count: Int, factor: Double = 1) -> [Double] {
        var out = [Double](repeating: 0, count: count)
        blocks.withUnsafeBytes { normals($0.bindMemory(to: UInt8.self).baseAddress!, count, factor, &out) }
        return out
    }

    /// The largest error over the radius, against the transform in Float64 with angles of 62 bits.
    private static func error(_ normals: Normals) -> Double {
        let found = numbers(normals, 2 * blocks.count)
        return blocks.enumerated().map { index, block in
            let k = Double(block.radius)
            let logarithm = block.w1 >> 31 == 1 ? -log1p(-k * 0x1p-63) : -log(k * 0x1p-63)
            let r = (2 * logarithm).squareRoot()
            let whole = Int64(Int32(bitPattern: block.w2)) << 31 + Int64(block.w3 & 0x3fff_ffff) << 1 + 1
            let x = Double(whole) * 0x1p-62 * (Double.pi / 4)
            let near = block.w3 >> 30 & 1 == 1 ? -r * cos(x) : r * cos(x)
            let (first, second) = block.w3 >> 31 == 1 ? (r * sin(x), near) : (near, r * sin(x))
            return max(abs(found[2 * index] - first), abs(found[2 * index + 1] - second)) / r
        }.max()!
    }

    /// 2⁻⁵⁰ of the radius, and the reference's own roundings. Twins: normals of Float32, and a direction of 32 bits.
    @Test(arguments: Level.available)
    func normalsAreThoseOfTheirBlocks(level: Level) {
        #expect(Self.error(level.kernels.add_wide_gaussian) < 0x1p-50 + 0x1p-51)
        let narrow = Self.error { blocks, count, factor, out in
            var values = [Float](repeating: 0, count: count)
            level.kernels.gaussian(blocks, count, &values)
            for index in 0..<count { out[index] += factor * Double(values[index]) }
        }
        #expect(narrow > 0x1p-30)
    }

    @Test(arguments: Level.available)
    func allInstructionSetsAgreeAtAnyLength(level: Level) {
        let (kernels, portable) = (level.kernels, Level.portable.kernels)
        for count in Array(0...40) + [1003] {
            #expect(
                Self.numbers(kernels.add_wide_gaussian, count, factor: 0.3)
                    == Self.numbers(portable.add_wide_gaussian, count, factor: 0.3))
        }
    }

    /// Sums, decays and roundings, against Swift's own, with memory that ends where the numbers do.
    @Test(arguments: Level.available, Fence.allCases)
    func combinationsAreThoseOfTheirDefinition(level: Level, fence: Fence) {
        let kernels = level.kernels
        var generator = SeededGenerator(seed: 3)
        for count in Array(0...20) + [101] {
            func wide(_ range: ClosedRange<Double> = -3...3) -> FencedBuffer<Double> {
                FencedBuffer((0..<count).map { _ in .random(in: range, using: &generator) }, fence: fence)
            }
            let (values, sum) = (wide(), wide())
            let narrow = FencedBuffer((0..<count).map { _ in generator.float() }, fence: fence)
            let before = sum.elements
            kernels.add_wide_multiple(values.base, count, 0.7, sum.base)
            #expect(sum.elements == zip(before, values.elements).map { $0 + 0.7 * $1 })
            let next = sum.elements
            kernels.add_multiple(narrow.base, count, -0.3, sum.base)
            let narrowed = narrow.elements.map(Double.init)
            #expect(sum.elements == zip(next, narrowed).map { $0 + -0.3 * $1 })
            let last = sum.elements
            kernels.decay_and_add(values.base, count, 0.9, sum.base)
            #expect(sum.elements == zip(last, values.elements).map { 0.9 * $0 + $1 })
            let large = wide(-0x1p31 + 1...0x1p31 - 1)
            let integers = FencedBuffer([Int32](repeating: 7, count: count), fence: fence)
            kernels.round_to_integers(large.base, count, integers.base)
            #expect(integers.elements == large.elements.map { Int32($0.rounded(.toNearestOrEven)) })
            let out = FencedBuffer([Float](repeating: .nan, count: count), fence: fence)
            kernels.scale_and_narrow(large.base, count, 0.1, out.base)
            #expect(out.elements == large.elements.map { Float($0 * 0.1) })
        }
    }

    /// Combinations of whole sums are exact, whatever their size. The twin, which adds in Float64 at once, is not.
    @Test(arguments: Level.available)
    func combinationsOfSumsAreExact(level: Level) {
        let kernels = level.kernels
        var generator = SeededGenerator(seed: 5)
        let (count, terms) = (67, 40)
        // Multiples of 2⁻¹⁸, as integers; their magnitudes sum to 2¹⁰ at most.
        let factors = (0..<terms).map { _ in Int.random(in: -(25 << 18)...25 << 18, using: &generator) }
        let sums = (0..<terms).map { _ in
            (0..<count).map { _ in Int.random(in: -(1 << 48) + 1...(1 << 48) - 1, using: &generator) }
        }
        let noise = (0..<count).map { _ in Int32.random(in: -(1 << 30)...1 << 30, using: &generator) }
        var (high, low, plain) = (
            [Double](repeating: 0, count: count), [Double](repeating: 0, count: count),
            [Double](repeating: 0, count: count)
        )
        for (factor, sum) in zip(factors, sums) {
            let values = sum.map(Double.init)
            kernels.add_split_multiple(values, count, Double(factor) * 0x1p-18, &high, &low)
            kernels.add_wide_multiple(values, count, Double(factor) * 0x1p-18, &plain)
        }
        kernels.round_split(noise, high, count, &low)
        var differs = 0
        for column in 0..<count {
            let exact = zip(factors, sums).reduce(Int128(0)) { $0 + Int128($1.0) * Int128($1.1[column]) }
            // The nearest integer, and to even in the middle.
            let half = Int128(1) << 17
            let floor = (exact + half) >> 18
            let isTie = (exact + half) & ((Int128(1) << 18) - 1) == 0
            let rounded = isTie && floor & 1 == 1 ? floor - 1 : floor
            #expect(low[column] == Double(rounded + Int128(noise[column])))
            if Double(rounded) != plain[column].rounded(.toNearestOrEven) { differs += 1 }
        }
        #expect(differs > 10)
    }

    /// What a sum holds comes out as whole numbers, and is gone.
    @Test(arguments: Level.available)
    func sumsAreTakenExactly(level: Level) {
        var generator = SeededGenerator(seed: 6)
        for count in Array(0...20) + [77] {
            var recent = (0..<count).map { _ in Int32.random(in: .min...(.max), using: &generator) }
            var carried = (0..<count).map { _ in Int64.random(in: -(1 << 45)...1 << 45, using: &generator) }
            var fine = (0..<count).map { _ in Int64.random(in: -(1 << 45)...1 << 45, using: &generator) }
            let expected = (0..<count).map { (place: Int) -> Double in
                let coarse = Double(Int64(recent[place]) + carried[place])
                let rest: Double = Double(fine[place]) * 0.25
                return coarse + rest.rounded(.toNearestOrEven)
            }
            var out = [Double](repeating: .nan, count: count)
            level.kernels.take_grid(&recent, &carried, &fine, count, 0.25, nil, nil, &out)
            #expect(out == expected)
            #expect(recent.allSatisfy { $0 == 0 } && carried.allSatisfy { $0 == 0 } && fine.allSatisfy { $0 == 0 })
        }
    }
}
