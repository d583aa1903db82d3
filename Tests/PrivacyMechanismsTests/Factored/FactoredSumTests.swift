import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// Question 2: the sum is that of the examples, and no example moves it by more than the sensitivity.
@Suite struct FactoredSumTests {
    /// The un-noised sum in the transformed space.
    private static func sum(
        _ gradients: some PerExampleGradients, _ rule: ClippingRule, scale: ParameterVector?
    ) throws -> [Double] {
        if let scale {
            var aggregate = try ClippedAggregate(rule, transform: DiagonalTransform(scale: scale), noiseMultiplier: 0)
            aggregate.add(gradients)
            return zip(aggregate.sum.values.buffer, scale.values).map { $0 * Double($1) / rule.normalizeBy }
        }
        var aggregate = try ClippedAggregate(
            rule, transform: IdentityTransform(layout: gradients.layout), noiseMultiplier: 0)
        aggregate.add(gradients)
        return aggregate.sum.values.buffer.map { $0 / rule.normalizeBy }
    }

    /// By how much the sum moves at most, relative to the sensitivity, when one of `count` examples is taken away:
    /// one contribution, twice the rounding of Float32 products (γ₆₉ of every contribution), and that of Float64 sums
    /// and of the distance itself.
    private static func slack(_ count: Int) -> Double {
        1 + 2 * accumulatedRoundingError(69) * Double(count) + Double(count) * 64 * 0x1p-52
    }

    /// Whether some example moves the sum by more than it may.
    private static func movesTooMuch(
        _ gradients: FactoredGradients, _ rule: ClippingRule, scale: ParameterVector?, as fault: BrokenFactors.Fault?
    ) throws -> Bool {
        func sum(_ part: FactoredGradients) throws -> [Double] {
            try fault.map { try Self.sum(BrokenFactors(base: part, fault: $0), rule, scale: scale) }
                ?? Self.sum(part, rule, scale: scale)
        }
        let count = gradients.exampleCount
        let whole = try sum(gradients)
        let bound = try rule.sensitivity(for: .addOrRemoveOne, layout: gradients.layout)
        for left in 0..<count {
            let without = try sum(RandomFactors.subset(gradients, (0..<count).filter { $0 != left }))
            let distance = zip(whole, without).map { $0 - $1 }.norm
            if !(distance <= bound * slack(count)) { return true }
        }
        return false
    }

    @Test(arguments: FactoredNormsTests.Magnitude.allCases)
    func noExampleMovesTheSumByMoreThanTheSensitivity(magnitude: FactoredNormsTests.Magnitude) throws {
        var generator = SeededGenerator(seed: 31)
        for seed in 0..<2 {
            var shape = RandomFactors.Shape()
            shape.examples = 5
            shape.magnitude = { magnitude.number(&$0) }
            let gradients = try RandomFactors(shape, seed: UInt64(seed)).gradients
            let values = (0..<gradients.layout.count).map { _ in magnitude.factor(&generator) }
            let scale = try ParameterVector(values: values, layout: gradients.layout)
            for rule in try FactoredEqualityTests.rules() + [.flat(l2ClipNorm: 1e-60), .automatic(l2ClipNorm: 1e60)] {
                for scale in [nil, scale] {
                    #expect(try !Self.movesTooMuch(gradients, rule, scale: scale, as: nil), "\(rule)")
                }
            }
        }
    }

    /// Each example of another magnitude: the small ones must not drown in the rounding of the large.
    @Test func noExampleMovesASumOfAllMagnitudes() throws {
        for seed in 0..<6 {
            var index = 0
            var shape = RandomFactors.Shape()
            shape.examples = 12
            shape.magnitude = { generator in
                index += 1
                let exponent = (index / 3 % 11 - 5) * 20
                return Float(sign: .plus, exponent: exponent, significand: generator.float())
            }
            let gradients = try RandomFactors(shape, seed: UInt64(seed)).gradients
            for rule in try FactoredEqualityTests.rules() {
                #expect(try !Self.movesTooMuch(gradients, rule, scale: nil, as: nil), "\(rule)")
            }
        }
    }

    @Test(arguments: [BrokenFactors.Fault.biasLeftOutOfTheNorm, .positionsAddedInSquares, .scaleNotSquared])
    func faultsMoveTheSumTooMuch(fault: BrokenFactors.Fault) throws {
        var shape = RandomFactors.Shape()
        shape.examples = 5
        shape.magnitude = { 2 * $0.float(0.5...1) }
        let gradients = try RandomFactors(shape, seed: 1).gradients
        var scale = try FactoredEqualityTests.scale(gradients.layout, seed: 2)
        scale.withUnsafeMutableValues { for index in $0.indices { $0[index] = max(1.5, $0[index]) } }
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        #expect(try Self.movesTooMuch(gradients, rule, scale: scale, as: fault))
        #expect(try !Self.movesTooMuch(gradients, rule, scale: scale, as: nil))
    }

    /// The error of the sum against Float64: below the bound by γ₆₉, and for random gradients far below.
    @Test func theSumErrsByLessThanIsSaid() throws {
        var generator = SeededGenerator(seed: 7)
        let (b, m, n) = (1024, 60, 50)
        func matrix(_ rows: Int, _ columns: Int, _ range: ClosedRange<Float>) -> Matrix {
            Matrix(rows: rows, columns: columns, elements: (0..<rows * columns).map { _ in generator.float(range) })
        }
        let layout = try TreeLayout([("kernel", [m, n])])
        // Of random sign, and all in much the same direction: the sum is then as long as it can be.
        for range in [Float(-1)...1, 0.9...1] {
            let gradients = try FactoredGradients(
                layout: layout, exampleCount: b,
                parts: [
                    .dense(
                        kernel: "kernel", bias: nil, activations: matrix(b, m, range),
                        outputGradients: matrix(b, n, range))
                ])
            let clipFactors = (0..<b).map { _ in Double(generator.float(0...1)) }
            var sum = ClippedSum(columns: layout.count)
            gradients.addWeightedSum(
                of: 0..<b, clipFactors: clipFactors.span, groups: ColumnGroups(ranges: [0..<layout.count]), to: &sum)
            var exact = [Double](repeating: 0, count: layout.count)
            var contributions: [Double] = []
            for example in 0..<b {
                let gradient = gradients.exactGradient(of: example)
                for column in exact.indices { exact[column] += clipFactors[example] * gradient[column] }
                contributions.append(clipFactors[example] * gradient.norm)
            }
            let error = zip(sum.values.buffer, exact).map { $0 - $1 }.norm
            #expect(error <= accumulatedRoundingError(69) * contributions.reduce(0, +))
            if range.lowerBound < 0 { #expect(error < 2e-7 * contributions.norm) }
            #expect(error > 0)
        }
    }

    /// The sum of one dense layer and its error bound, for numbers of any magnitude and clip factors that bring it
    /// back.
    private static func exceedsTheBound(
        _ layer: FactoredNormsTests.Layer, _ clipFactors: [Double], sum: [Double]
    ) -> Bool {
        var exact = [Double](repeating: 0, count: layer.gradients.layout.count)
        var size = 0.0
        for example in 0..<layer.gradients.exampleCount {
            let gradient = layer.gradients.exactGradient(of: example)
            for column in exact.indices { exact[column] += clipFactors[example] * gradient[column] }
            size += abs(clipFactors[example]) * layer.exactSquare(example).squareRoot()
        }
        return !(zip(sum, exact).map { $0 - $1 }.norm <= accumulatedRoundingError(69) * size)
    }

    @Test(arguments: FactoredNormsTests.Magnitude.allCases)
    func extremeExamplesAreAddedAsExactly(magnitude: FactoredNormsTests.Magnitude) throws {
        var generator = SeededGenerator(seed: 3)
        var plainFailures = 0
        for other in FactoredNormsTests.Magnitude.allCases {
            let layer = try FactoredNormsTests.Layer(6, 5, 4, magnitude, other, nil, seed: 11)
            for size in [1, 1e-70, 1e70] {
                // As clipping does it: every example is brought to much the same norm.
                let clipFactors = (0..<6).map { example in
                    let norm = layer.exactSquare(example).squareRoot()
                    return norm == 0 ? size : size / norm * Double(generator.float(0.5...1))
                }
                var sum = ClippedSum(columns: 20)
                layer.gradients.addWeightedSum(
                    of: 0..<6, clipFactors: clipFactors.span, groups: ColumnGroups(ranges: [0..<20]), to: &sum)
                #expect(!Self.exceedsTheBound(layer, clipFactors, sum: Array(sum.values.buffer)))

                var weighted = layer.outputGradients
                for row in 0..<6 {
                    for column in 0..<4 {
                        weighted[row, column] = Float(Double(weighted[row, column]) * clipFactors[row])
                    }
                }
                var plain = Matrix(rows: 5, columns: 4)
                BLAS.gemm(layer.activations, .transposed, weighted, .none, into: &plain)
                let elements = plain.withUnsafeElements { $0.map(Double.init) }
                if Self.exceedsTheBound(layer, clipFactors, sum: elements) { plainFailures += 1 }
            }
        }
        // The control: one Float32 product for all of them.
        #expect(plainFailures > 5)
    }

    /// Where gradients are formed, both questions are about the same Float32 numbers, to the last bit.
    @Test func whatIsAddedIsWhatIsMeasured() throws {
        var generator = SeededGenerator(seed: 17)
        let (b, m, n, t, rows) = (5, 150, 300, 6, 4)
        func matrix(_ columns: Int) -> Matrix {
            Matrix(
                rows: b * t, columns: columns,
                elements: (0..<b * t * columns).map { _ in
                    Float(sign: .plus, exponent: Int(generator.next() % 20) - 10, significand: generator.float())
                })
        }
        let layout = try TreeLayout([("bias", [n]), ("kernel", [m, n]), ("table", [rows, n])])
        let gradients = try FactoredGradients(
            layout: layout, exampleCount: b,
            parts: [
                .sequence(
                    kernel: "kernel", bias: "bias", activations: matrix(m), outputGradients: matrix(n), positions: t),
                .embedding(
                    table: "table", indices: (0..<b * t).map { _ in Int(generator.next() % UInt64(rows)) },
                    outputGradients: matrix(n), positions: t),
            ])
        let scale = try FactoredEqualityTests.scale(layout, seed: 5)
        let groups = ColumnGroups(ranges: layout.leaves.map(\.range))
        var squares = [Double](repeating: 0, count: b * 3)
        var span = squares.mutableSpan
        gradients.squaredNorms(of: 0..<b, under: scale, groups: groups, into: &span)
        for example in 0..<b {
            var row = [Float](repeating: 0, count: layout.count)
            var span = row.mutableSpan
            gradients.copyGradient(of: example, into: &span)
            var sum = ClippedSum(columns: layout.count)
            let ones = [1.0, 1, 1]
            gradients.addWeightedSum(of: example..<example + 1, clipFactors: ones.span, groups: groups, to: &sum)
            #expect(Array(sum.values.buffer) == row.map(Double.init))
            for (group, columns) in groups.ranges.enumerated() {
                let norm = columns.map { Double(row[$0]) * Double(scale.values[$0]) }.norm
                let relative = squares[example * 3 + group] / (norm * norm) - 1
                #expect(abs(relative) <= Double(layout.count + 4) * 0x1p-52)
            }
            // The control: multiplied out in Float64, some of the numbers are others.
            #expect(gradients.exactGradient(of: example) != row.map(Double.init))
        }
    }

    @Test func sumsOfPartsOfABatchAddUp() throws {
        let gradients = try RandomFactors(seed: 3).gradients
        let groups = ColumnGroups(ranges: [0..<gradients.layout.count])
        let clipFactors = [0.5, 0, 2, 1, 0.25, -1, 3]
        var sum = ClippedSum(columns: gradients.layout.count)
        for part in [0..<2, 2..<2, 2..<7] {
            gradients.addWeightedSum(of: part, clipFactors: Array(clipFactors[part]).span, groups: groups, to: &sum)
        }
        let rows = (0..<7).map { gradients.exactGradient(of: $0) }
        // Three roundings of Float32, of terms that add up to at most 8 in each element.
        let tolerance: Double = 8 * 3 * 8 * 0x1p-24
        for column in 0..<gradients.layout.count {
            let exact: Double = zip(clipFactors, rows).reduce(0) { $0 + $1.0 * $1.1[column] }
            #expect(abs(sum.values.base[column] - exact) < tolerance)
        }
    }

    // MARK: Threads

    @Test func threadsChangeNoBit() throws {
        var shape = RandomFactors.Shape()
        (shape.examples, shape.inputs, shape.outputs, shape.positions) = (290, 530, 270, 3)
        let gradients = try RandomFactors(shape, seed: 1).gradients
        let scale = try FactoredEqualityTests.scale(gradients.layout, seed: 1)
        let limit = Threads.limit
        Threads.sharesSmallWork = true
        defer {
            Threads.limit = limit
            Threads.sharesSmallWork = false
        }
        for scale in [nil, scale] {
            var results: Set<[UInt64]> = []
            for threads in [1, 2, 3, 7] {
                Threads.limit = threads
                let sum = try Self.sum(gradients, .flat(l2ClipNorm: 1), scale: scale)
                results.insert(sum.map(\.bitPattern))
            }
            #expect(results.count == 1)
            // The control: another example in the last place changes bits.
            let fewer = try RandomFactors.subset(gradients, Array(0..<289))
            results.insert(try Self.sum(fewer, .flat(l2ClipNorm: 1), scale: scale).map(\.bitPattern))
            #expect(results.count == 2)
        }
    }
}
