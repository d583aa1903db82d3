import CPrivacyKernels
import Testing

/// Whether `result` is `exact` rounded toward zero to Float32: not larger in magnitude, while the next number is.
private func isTowardZero(_ result: Float, _ exact: Double) -> Bool {
    if exact.isNaN { return result.isNaN }
    if exact.isInfinite { return Double(result) == exact }
    return result.sign == exact.sign && Double(result).magnitude <= exact.magnitude
        && Double(result.magnitude.nextUp) > exact.magnitude
}

/// Numbers at which rounding is delicate, besides random ones of all sizes.
private func numbers(_ generator: inout SeededGenerator, count: Int) -> [Double] {
    let delicate: [Double] = [
        0, 1, 0x1.fffffep127, 0x1.ffffffp127, 0x1.fffffefp127, 0x1p128, 0x1p1023, .infinity, .nan, 0x1p-126, 0x1p-149,
        0x1.8p-149, 0x1.8p-150, 0x1p-150, 0x1.8p-151, 0x1p-1022, .leastNonzeroMagnitude, 0x1.ffffffp0, 0x1.fffffefp0,
        0x1.000001p0, 0x1.0000010000001p0, 0x1.000000fffffffp0, 0x1.fffffep-127, 0x1.ffffffp-127,
    ]
    let random = (0..<max(0, count - 2 * delicate.count)).map { _ in
        Double(
            sign: generator.next() & 1 == 0 ? .plus : .minus, exponent: Int.random(in: -155...130, using: &generator),
            significand: Double.random(in: 1..<2, using: &generator))
    }
    return Array((delicate + delicate.map(-) + random).shuffled(using: &generator).prefix(count))
}

private typealias Scale = (_ factor: Double, _ count: Int, _ values: UnsafeMutablePointer<Float>) -> Void
private typealias Narrow = (
    _ sum: UnsafePointer<Double>, _ factor: Double, _ post: UnsafePointer<Float>?, _ count: Int,
    _ out: UnsafeMutablePointer<Float>
) -> Void

private let counts = Array(0...40) + [3001]

private func scaleFailures(of subject: Scale) -> Int {
    var generator = SeededGenerator(seed: 5)
    var failures = 0
    let factors = [0, 1, -1, 1 / 3.0, 0.1, 1e-30, 0x1p-24, 0x1p30, 1e300, .infinity, .nan]
    for count in counts {
        for factor in factors {
            let values = numbers(&generator, count: count).map { Float($0) }
            let buffer = FencedBuffer(values)
            subject(factor, count, buffer.base)
            for (value, result) in zip(values, buffer.elements) where !isTowardZero(result, factor * Double(value)) {
                failures += 1
            }
        }
    }
    return failures
}

private func narrowFailures(of subject: Narrow) -> Int {
    var generator = SeededGenerator(seed: 6)
    var failures = 0
    for count in counts {
        for factor in [1, -1, 0.1, 0, 0x1p-24, 1e300] {
            for isScaled in [false, true] {
                let sum = FencedBuffer(numbers(&generator, count: count))
                let post = FencedBuffer((0..<count).map { _ in generator.float(exponents: -30...30) })
                let out = FencedBuffer([Float](repeating: -1, count: count))
                defer { withExtendedLifetime((sum, post, out)) {} }
                subject(sum.base, factor, isScaled ? UnsafePointer(post.base) : nil, count, out.base)
                for j in 0..<count {
                    let exact = sum.base[j] * factor * (isScaled ? Double(post.base[j]) : 1)
                    if !isTowardZero(out.base[j], exact) { failures += 1 }
                }
            }
        }
    }
    return failures
}

struct TowardZeroTests {
    @Test(arguments: Level.available)
    func scaledValuesAreTheNextTowardZero(level: Level) {
        #expect(scaleFailures(of: level.kernels.scale_toward_zero) == 0)
    }

    @Test(arguments: Level.available)
    func narrowedSumsAreTheNextTowardZero(level: Level) {
        #expect(narrowFailures(of: level.kernels.narrow_toward_zero) == 0)
    }

    @Test func theCheckRejectsRoundingToNearestAndRoundingTooFar() {
        #expect(
            scaleFailures { factor, count, values in
                for j in 0..<count { values[j] = Float(factor * Double(values[j])) }
            } > 1000)
        #expect(
            narrowFailures { sum, factor, post, count, out in
                for j in 0..<count { out[j] = Float(sum[j] * factor * Double(post?[j] ?? 1)) }
            } > 1000)
        // Control: always one step down, also where the conversion was exact or had already gone there.
        #expect(
            scaleFailures { factor, count, values in
                for j in 0..<count {
                    let nearest = Float(factor * Double(values[j]))
                    values[j] = nearest < 0 ? nearest.nextUp : nearest.nextDown
                }
            } > 1000)
        // Control: the sign of zero is lost.
        #expect(
            scaleFailures { factor, count, values in
                Level.portable.kernels.scale_toward_zero(factor, count, values)
                for j in 0..<count { values[j] += 0 }
            } > 10)
    }

    @Test func theCheckKnowsTheEdges() {
        #expect(isTowardZero(.greatestFiniteMagnitude, 0x1p1023) && !isTowardZero(.infinity, 0x1p1023))
        #expect(isTowardZero(.infinity, .infinity) && !isTowardZero(.greatestFiniteMagnitude, .infinity))
        #expect(isTowardZero(0, 0x1.8p-150) && !isTowardZero(.leastNonzeroMagnitude, 0x1.8p-150))
        #expect(isTowardZero(-0.0, -0x1p-200) && !isTowardZero(0, -0x1p-200))
        #expect(isTowardZero(1, 0x1.000001p0) && !isTowardZero(Float(1).nextUp, 0x1.000001p0))
        #expect(!isTowardZero(Float(1).nextDown, 1) && isTowardZero(.nan, .nan) && !isTowardZero(0, .nan))
    }

    @Test(arguments: Level.available)
    func levelsAgreeToTheBit(level: Level) {
        var generator = SeededGenerator(seed: 7)
        let sum = numbers(&generator, count: 5000).filter { !$0.isNaN }
        func narrowed(_ kernels: dpk_kernels) -> [UInt32] {
            var out = [Float](repeating: 0, count: sum.count)
            kernels.narrow_toward_zero(sum, 0.3, nil, sum.count, &out)
            return out.bits
        }
        func scaled(_ kernels: dpk_kernels) -> [UInt32] {
            var values = sum.map { Float($0) }
            kernels.scale_toward_zero(0.3, values.count, &values)
            return values.bits
        }
        #expect(narrowed(level.kernels) == narrowed(Level.portable.kernels))
        #expect(scaled(level.kernels) == scaled(Level.portable.kernels))
        // Control: narrowing first and then scaling rounds twice, and that shows.
        #expect(narrowed(level.kernels) != scaled(level.kernels))
    }
}
