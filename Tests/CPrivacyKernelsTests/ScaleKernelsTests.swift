import CPrivacyKernels
import Testing

/// What a scale of outer products is balanced and bounded by.
struct ScaleKernelsTests {
    private static let counts = Array(0...40) + [1003]

    // MARK: Exponents

    private typealias ExponentSums = (UnsafePointer<Float>, Int, UnsafeMutablePointer<Int32>) -> Int64

    private static func exponentFailures(of subject: ExponentSums) -> Int {
        var generator = SeededGenerator(seed: 85)
        var failures = 0
        for fence in Fence.allCases {
            for count in counts {
                let edges: [Float] = [
                    0x1p-126, 0x1.fffffep127, 1, Float(1).nextDown, 0x1p-127, .leastNonzeroMagnitude, 0,
                ]
                let values = (0..<count).map { _ in
                    generator.next() % 4 == 0
                        ? edges.randomElement(using: &generator)! : abs(generator.float(exponents: -126...127))
                }
                let start = (0..<count).map { _ in Int32.random(in: -(1 << 30)...1 << 30, using: &generator) }
                let exponents = values.map { $0 < 0x1p-126 ? -127 : Int64($0.exponent) }
                let buffer = FencedBuffer(values, fence: fence)
                let sums = FencedBuffer(start, fence: fence)
                let total = withExtendedLifetime(buffer) { subject(buffer.base, count, sums.base) }
                if total != exponents.reduce(0, +) || sums.elements != zip(start, exponents).map({ $0 + Int32($1) }) {
                    failures += 1
                }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func exponentsAreAddedUp(level: Level) {
        #expect(Self.exponentFailures(of: level.kernels.exponent_sums) == 0)
    }

    @Test func nearestPowersAndMissingTailsAreRejected() {
        let nearest: ExponentSums = { values, count, sums in
            (0..<count).reduce(0) { total, j in
                let exponent = values[j] < 0x1p-126 ? -127 : values[j].exponent + (values[j].significand > 1.5 ? 1 : 0)
                sums[j] += Int32(exponent)
                return total + Int64(exponent)
            }
        }
        let withoutTheLast: ExponentSums = { Level.portable.kernels.exponent_sums($0, $1 & ~7, $2) }
        #expect(Self.exponentFailures(of: nearest) > 60)
        #expect(Self.exponentFailures(of: withoutTheLast) > 60)
    }

    // MARK: Products

    private typealias Multiplied = (
        UnsafePointer<Float>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>
    ) -> Void

    private static func productFailures(of subject: Multiplied) -> Int {
        var generator = SeededGenerator(seed: 86)
        var failures = 0
        for fence in Fence.allCases {
            for count in counts {
                // Products of all sizes, among them some that overflow and some that are subnormal.
                let x = FencedBuffer((0..<count).map { _ in generator.float(exponents: -70...70) }, fence: fence)
                let y = FencedBuffer((0..<count).map { _ in generator.float(exponents: -70...70) }, fence: fence)
                let out = FencedBuffer([Float](repeating: .nan, count: count), fence: fence)
                subject(x.base, y.base, count, out.base)
                if out.elements.bits != zip(x.elements, y.elements).map({ $0 * $1 }).bits { failures += 1 }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func numbersAreMultiplied(level: Level) {
        #expect(Self.productFailures(of: level.kernels.multiplied) == 0)
    }

    @Test func roundingDownwardIsRejected() {
        let downward: Multiplied = { x, y, count, out in
            for j in 0..<count {
                let exact = Double(x[j]) * Double(y[j])
                out[j] = Double(Float(exact)) > exact ? Float(exact).nextDown : Float(exact)
            }
        }
        #expect(Self.productFailures(of: downward) > 60)
    }

    // MARK: Scaled products

    private typealias AddScaled = (
        _ values: UnsafePointer<Float>, _ offset: Float, _ factor: Float, _ weights: UnsafePointer<Float>, Int,
        UnsafeMutablePointer<Float>
    ) -> Void

    private static func addingScaled(_ rule: @escaping (Float, Float, Float, Float, Float) -> Float) -> AddScaled {
        { values, offset, factor, weights, count, sum in
            for j in 0..<count { sum[j] = rule(sum[j], values[j], offset, factor, weights[j]) }
        }
    }

    private static var exact: AddScaled {
        addingScaled { sum, value, offset, factor, weight in sum + (value + offset) * factor * weight }
    }

    private static func scaledFailures(of subject: AddScaled) -> Int {
        var generator = SeededGenerator(seed: 87)
        var failures = 0
        for fence in Fence.allCases {
            for count in counts {
                let values = FencedBuffer(generator.floats(count), fence: fence)
                let weights = FencedBuffer(generator.floats(count), fence: fence)
                let start = generator.floats(count)
                for (offset, factor) in [(Float(0), Float(1)), (0.1, 0.7), (-0.3, 1 / 3), (0, -0x1p20)] {
                    let (sum, expected) = (FencedBuffer(start, fence: fence), FencedBuffer(start, fence: fence))
                    subject(values.base, offset, factor, weights.base, count, sum.base)
                    exact(values.base, offset, factor, weights.base, count, expected.base)
                    if sum.elements.bits != expected.elements.bits { failures += 1 }
                }
                withExtendedLifetime((values, weights)) {}
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func scaledProductsRoundFourTimes(level: Level) {
        #expect(Self.scaledFailures(of: level.kernels.add_scaled_product) == 0)
    }

    @Test func fusedSumsAndAnotherOrderAreRejected() {
        let fused = Self.addingScaled { sum, value, offset, factor, weight in
            sum.addingProduct((value + offset) * factor, weight)
        }
        let factorLast = Self.addingScaled { sum, value, offset, factor, weight in
            sum + (value + offset) * weight * factor
        }
        #expect(Self.scaledFailures(of: fused) > 60)
        #expect(Self.scaledFailures(of: factorLast) > 60)
    }
}
