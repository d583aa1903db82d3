import CPrivacyKernels
import Testing

/// Rounding to whole numbers of 16 bits, against Swift's own.
struct QuantizeTests {
    private static let counts = Array(0...40) + [1003]

    private typealias Quantize = (
        _ values: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?, _ factor: Float, _ count: Int,
        _ out: UnsafeMutablePointer<Float>
    ) -> Float

    /// The definition, with a rule for the product and one for its rounding.
    private static func quantizing(
        by product: @escaping (Float, Float?, Float) -> Float = { value, weight, factor in
            (weight.map { value * $0 } ?? value) * factor
        },
        _ rounding: FloatingPointRoundingRule = .toNearestOrEven
    ) -> Quantize {
        { values, weights, factor, count, out in
            var largest: Float = 0
            for j in 0..<count {
                let x = product(values[j], weights?[j], factor)
                // Swift's own maximum skips NaN.
                if x.isNaN || abs(x) > largest { largest = largest.isNaN ? largest : abs(x) }
                // An integer has no negative zero.
                out[j] = abs(x) <= 32_767 ? Float(Int(x.rounded(rounding))) : 0
            }
            return largest
        }
    }

    private static func agree(_ left: Float, _ right: Float) -> Bool {
        left.isNaN ? right.isNaN : left.bitPattern == right.bitPattern
    }

    private static func failures(
        of subject: Quantize, _ values: [Float], _ weights: [Float], factor: Float, fence: Fence
    ) -> Int {
        let fenced = (FencedBuffer(values, fence: fence), FencedBuffer(weights, fence: fence))
        let count = values.count
        return withExtendedLifetime(fenced) {
            [nil, UnsafePointer(fenced.1.base)].count { weights in
                let out = FencedBuffer([Float](repeating: .nan, count: count), fence: fence)
                let expected = FencedBuffer([Float](repeating: .nan, count: count), fence: fence)
                let largest = subject(fenced.0.base, weights, factor, count, out.base)
                let exact = quantizing()(fenced.0.base, weights, factor, count, expected.base)
                return !agree(exact, largest) || out.elements.bits != expected.elements.bits
            }
        }
    }

    /// Ties, and numbers up to the largest.
    private static func ordinaryFailures(of subject: Quantize) -> Int {
        var generator = SeededGenerator(seed: 84)
        var failures = 0
        for fence in Fence.allCases {
            for count in counts {
                for factor in [Float(1), -1, 0x1p-3, 0.3] {
                    let values = (0..<count).map { _ -> Float in
                        let tie = Float(Int.random(in: -32_767..<32_767, using: &generator)) + 0.5
                        return generator.next() & 1 == 0 ? tie : generator.float(-32_767...32_767)
                    }
                    // With a factor that is no power of two, the order of the products shows.
                    let weights = (0..<count).map { _ in
                        factor == 0.3
                            ? generator.float() : [1, -1, 0.5, generator.float()].randomElement(using: &generator)!
                    }
                    failures += Self.failures(of: subject, values, weights, factor: factor, fence: fence)
                }
            }
        }
        return failures
    }

    /// Numbers that have no place among 16 bits, at every edge, alone and in pairs.
    private static func specialFailures(of subject: Quantize) -> Int {
        let specials: [Float] = [
            .nan, -.nan, .infinity, -.infinity, 3e38, -3e38, 32_767, -32_767, Float(32_767).nextUp, -32_768, 65_536, -0,
            .leastNonzeroMagnitude,
        ]
        var failures = 0
        for count in [1, 2, 8, 9, 15, 16, 17, 40] {
            for first in specials {
                for second in specials {
                    var values = [Float](repeating: 1.5, count: count)
                    (values[count / 2], values[count - 1]) = (first, second)
                    let weights = [Float](repeating: 1, count: count)
                    failures += Self.failures(of: subject, values, weights, factor: 1, fence: .after)
                    // 3·10³⁸ overflows.
                    failures += Self.failures(of: subject, values, weights, factor: 2, fence: .after)
                }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func productsAreRoundedToWholeNumbers(level: Level) {
        #expect(Self.ordinaryFailures(of: level.kernels.quantize) == 0)
    }

    @Test(arguments: Level.available)
    func whatDoesNotFitIsReported(level: Level) {
        #expect(Self.specialFailures(of: level.kernels.quantize) == 0)
    }

    @Test func otherRoundingsAndOrdersAreRejected() {
        let factorFirst = Self.quantizing(by: { $0 * $2 * ($1 ?? 1) })
        #expect(Self.ordinaryFailures(of: factorFirst) > 20)
        for broken in [Self.quantizing(.toNearestOrAwayFromZero), Self.quantizing(.down)] {
            #expect(Self.ordinaryFailures(of: broken) > 100)
        }
    }

    @Test func aMaximumThatSkipsNaNIsRejected() {
        let skipping: Quantize = { values, weights, factor, count, out in
            _ = Level.portable.kernels.quantize(values, weights, factor, count, out)
            return (0..<count).reduce(0) { Float.maximum($0, abs(values[$1] * (weights?[$1] ?? 1) * factor)) }
        }
        let signed: Quantize = { values, weights, factor, count, out in
            _ = Level.portable.kernels.quantize(values, weights, factor, count, out)
            return (0..<count).reduce(0) { max($0, values[$1] * (weights?[$1] ?? 1) * factor) }
        }
        #expect(Self.specialFailures(of: skipping) > 100)
        #expect(Self.specialFailures(of: signed) > 100)
    }
}
