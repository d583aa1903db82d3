import CPrivacyKernels
import Testing

/// The kernels beside the matrix products of factored gradients.
struct FactorKernelsTests {
    private static let counts = Array(0...40) + [1003]

    private static func numbers(_ count: Int, seed: UInt64, exponents: ClosedRange<Int> = -20...20) -> [Float] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in generator.float(exponents: exponents) }
    }

    // MARK: The largest magnitude

    private typealias Largest = (_ values: UnsafePointer<Float>, _ count: Int) -> Float

    private static func failures(of subject: Largest) -> Int {
        var failures = 0
        for count in counts {
            for special in [0, Float.infinity, -.infinity, .nan, -.leastNonzeroMagnitude, -3e38] {
                for place in [0, count / 2, count - 1] where place >= 0 && place < count {
                    for fill in [0, Float(-0x1p-133), 1] {
                        var values = [Float](repeating: fill, count: count)
                        values[place] = special
                        let buffer = FencedBuffer(values)
                        let result = withExtendedLifetime(buffer) { subject(buffer.base, count) }
                        // Swift's own maximum skips NaN.
                        let isRight =
                            special.isNaN ? result.isNaN : result == values.reduce(0) { max($0, abs($1)) }
                        if !isRight { failures += 1 }
                    }
                }
            }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func theLargestMagnitudeIsFound(level: Level) {
        #expect(Self.failures(of: level.kernels.largest_magnitude) == 0)
        var nothing: Float = 1
        #expect(level.kernels.largest_magnitude(&nothing, 0) == 0)
    }

    @Test func theLargestNumberIsRejected() {
        let signed: Largest = { values, count in (0..<count).reduce(0) { max($0, values[$1]) } }
        let withoutTheLast: Largest = { Level.portable.kernels.largest_magnitude($0, $1 & ~7) }
        #expect(Self.failures(of: signed) > 100)
        #expect(Self.failures(of: withoutTheLast) > 100)
    }

    // MARK: Squares, scaled copies and weighted squares

    /// To the bit what the definition gives: each operation rounds once.
    @Test(arguments: Level.available)
    func elementwiseKernelsRoundAsTheySay(level: Level) {
        for count in Self.counts {
            for (factor, exponents) in [(Float(0x1p10), -20...20), (0x1p-126, 60...126), (0x1p126, -149...(-60))] {
                let values = FencedBuffer(Self.numbers(count, seed: 3, exponents: exponents))
                let out = FencedBuffer([Float](repeating: .nan, count: count))
                level.kernels.scaled_squares(values.base, factor, count, out.base)
                let squares = values.elements.map { ($0 * factor) * ($0 * factor) }
                #expect(out.elements.bits == squares.bits)
                let double = Double(factor) * 0.1
                level.kernels.scaled(values.base, double, count, out.base)
                #expect(out.elements.bits == values.elements.map { Float(double * Double($0)) }.bits)
                // The control: with the factor rounded first, some numbers are others.
                if count > 100 {
                    #expect(out.elements.bits != values.elements.map { Float(double) * $0 }.bits)
                }
            }
        }
    }

    private typealias WeightedSquares = (UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Double

    /// How many results err by more than (count + 2)·2⁻⁵³: a product, and fewer than count + 1 additions.
    private static func weightedFailures(of subject: WeightedSquares) -> Int {
        var failures = 0
        for count in counts {
            let weights = numbers(count, seed: 5).map(abs)
            let values = numbers(count, seed: 6)
            let (fencedWeights, fencedValues) = (FencedBuffer(weights), FencedBuffer(values))
            let result = withExtendedLifetime((fencedWeights, fencedValues)) {
                subject(fencedWeights.base, fencedValues.base, count)
            }
            // Added up from the smallest on, in two Float64: exact to about 2⁻¹⁰⁰.
            var (high, low) = (0.0, 0.0)
            for (weight, value) in zip(weights, values) {
                let square = Double(value) * Double(value)
                let term = Double(weight) * square
                let sum = high + term
                let part = sum - high
                low += (high - (sum - part)) + (term - part) + (-term).addingProduct(Double(weight), square)
                high = sum
            }
            if !(abs((result - high) - low) <= Double(count + 2) * 0x1p-53 * high) { failures += 1 }
        }
        return failures
    }

    @Test(arguments: Level.available)
    func weightedSquaresStayWithinTheBound(level: Level) {
        #expect(Self.weightedFailures(of: level.kernels.weighted_square_sum) == 0)
    }

    @Test func theBoundRejectsFloat32SumsAndSquaredWeights() {
        let inFloat: WeightedSquares = { weights, values, count in
            Double((0..<count).reduce(Float(0)) { $0 + weights[$1] * values[$1] * values[$1] })
        }
        let squared: WeightedSquares = { weights, values, count in
            (0..<count).reduce(0) { $0 + Double(weights[$1] * weights[$1]) * Double(values[$1]) * Double(values[$1]) }
        }
        #expect(Self.weightedFailures(of: inFloat) > 30)
        #expect(Self.weightedFailures(of: squared) > 30)
    }

    @Test(arguments: Level.available)
    func levelsAgreeToTheBit(level: Level) {
        let (weights, values) = (
            Self.numbers(1003, seed: 7, exponents: -2...2), Self.numbers(1003, seed: 8, exponents: -2...2)
        )
        for count in [9, 500, 1003] {
            let result = level.kernels.weighted_square_sum(weights, values, count)
            #expect(result == Level.portable.kernels.weighted_square_sum(weights, values, count))
            // The control: from left to right the last bits are others.
            let serial = (0..<count).reduce(0.0) { (sum: Double, place: Int) -> Double in
                let value = Double(values[place])
                return sum + Double(weights[place]) * (value * value)
            }
            #expect(count == 9 || result != serial)
        }
    }

    // MARK: Products of rows

    private typealias Dot = (UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Double

    /// How many results err by more than count·2⁻⁵³·Σ|x·y|: the products are exact, and count additions round.
    private static func dotFailures(of subject: Dot) -> Int {
        counts.count { count in
            let x = FencedBuffer(numbers(count, seed: 8))
            let y = FencedBuffer(numbers(count, seed: 9))
            let result = withExtendedLifetime((x, y)) { subject(x.base, y.base, count) }
            let products = zip(x.elements, y.elements).map { Double($0) * Double($1) }
            // The largest last, so that the reference errs less than it allows for.
            let exact = products.sorted { abs($0) < abs($1) }.reduce(0, +)
            return abs(result - exact) > 2 * Double(count) * 0x1p-53 * products.reduce(0) { $0 + abs($1) }
        }
    }

    @Test(arguments: Level.available)
    func rowsAreMultipliedInFloat64(level: Level) {
        #expect(Self.dotFailures(of: level.kernels.dot) == 0)
    }

    @Test func productsInFloat32AreRejected() {
        let inFloat: Dot = { x, y, count in Double((0..<count).reduce(Float(0)) { $0 + x[$1] * y[$1] }) }
        let withoutTheLast: Dot = { Level.portable.kernels.dot($0, $1, $2 & ~15) }
        #expect(Self.dotFailures(of: inFloat) > 10)
        #expect(Self.dotFailures(of: withoutTheLast) > 10)
    }
}
