import Foundation
import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** neighbouring batches' integer sums are never further apart than M, and no bit of a sum depends on the
/// order of its examples, on microbatches or on threads.
@Suite(.serialized) struct ExactSumTests {
    // MARK: Sensitivity

    /// Rows that rounding makes longer: half a unit and more above a multiple of one in each column, and at the bound.
    private static func rowsThatRoundingLengthens(_ layout: TreeLayout, clipNorm: Double) throws -> DenseRows {
        let empty = try ExactSum(
            [DenseRows(Matrix(rows: 0, columns: layout.count), layout: layout)], .flat(l2ClipNorm: clipNorm))
        let whole = (Double(empty.grid.sensitivity) / Double(layout.count).squareRoot()).rounded(.down)
        let elements = (0..<3 * layout.count).map { index in
            Float((whole + [0.51, 0.55, -0.49][index / layout.count]) * empty.grid.spacing)
        }
        return try DenseRows(Matrix(rows: 3, columns: layout.count, elements: elements), layout: layout)
    }

    /// A number of columns, at least `least`, for which such rows round past M: M/√P is well above a half more than a
    /// whole number.
    private static func columns(from least: Int) -> Int {
        (least...).first {
            let mean = 0x1p22 / Double($0).squareRoot()
            return (0.6...0.95).contains(mean - mean.rounded(.down))
        }!
    }

    private static func adversarialRows(_ layout: TreeLayout) throws -> DenseRows {
        let rows = AdversarialRows.rows(count: layout.count).map(\.values)
        return try DenseRows(Matrix(rows), layout: layout)
    }

    private static func subset(_ rows: DenseRows, without left: Int?) throws -> DenseRows {
        let kept = (0..<rows.exampleCount).filter { $0 != left }
        let matrix = Matrix(
            rows: kept.count, columns: rows.layout.count,
            elements: kept.flatMap { Array(UnsafeBufferPointer(start: rows.row($0), count: rows.layout.count)) })
        return try DenseRows(matrix, layout: rows.layout)
    }

    @Test(arguments: [1, 17, 400, 20_000])
    func noRowMovesTheSumByMoreThanM(least: Int) throws {
        let columns = Self.columns(from: least)
        let layout = flatLayout(columns)
        var generator = SeededGenerator(seed: 4)
        let scale = try ParameterVector(values: (0..<columns).map { _ in generator.float(0.01...100) }, layout: layout)
        for rule in [
            try ClippingRule.flat(l2ClipNorm: 1), try .flat(l2ClipNorm: 3, rescaleToUnitNorm: true, normalizeBy: 7),
            try .automatic(l2ClipNorm: 0.3), try .flat(l2ClipNorm: 1e-90), try .flat(l2ClipNorm: 1e90),
        ] {
            for rows in [try Self.adversarialRows(layout), try Self.rowsThatRoundingLengthens(layout, clipNorm: 1)] {
                for scale in [nil, scale] {
                    let whole = try ExactSum([rows], rule, scale: scale)
                    for left in 0..<rows.exampleCount {
                        let without = try ExactSum([Self.subset(rows, without: left)], rule, scale: scale)
                        #expect(whole.distance(to: without) <= Double(whole.grid.sensitivity))
                    }
                }
            }
        }
    }

    /// The broken twin of clipping on the grid: the plain C in the place of C − γ√P/2.
    @Test func clippingToThePlainNormIsTooLong() throws {
        let layout = flatLayout(Self.columns(from: 20_000))
        let rows = try Self.rowsThatRoundingLengthens(layout, clipNorm: 1)
        let grid = try ExactSum([rows], .flat(l2ClipNorm: 1)).grid
        func norm(_ row: Int, room: Double) -> Double {
            let values = UnsafeBufferPointer(start: rows.row(row), count: layout.count).map(Double.init)
            let factor = min(1 / grid.spacing, room / values.norm)
            return values.map { ($0 * factor).rounded() }.norm
        }
        let bound = Double(grid.sensitivity)
        let lost = GridRounding.ofExample(columns: layout.count)
        #expect((0..<3).allSatisfy { norm($0, room: bound - lost) <= bound })
        #expect((0..<3).contains { norm($0, room: bound) > bound })
    }

    /// Whether some example moves the sum of `gradients` by more than it may.
    private static func movesTooMuch(
        _ gradients: FactoredGradients, _ rule: ClippingRule, scale: ParameterVector?, bound: Double = 1
    ) throws -> Bool {
        let whole = try ExactSum([gradients], rule, scale: scale)
        let count = gradients.exampleCount
        return try (0..<count).contains { left in
            let rest = try RandomFactors.subset(gradients, (0..<count).filter { $0 != left })
            let distance = whole.distance(to: try ExactSum([rest], rule, scale: scale))
            return distance > bound * Double(whole.grid.sensitivity)
        }
    }

    @Test(arguments: FactoredNormsTests.Magnitude.allCases)
    func noFactoredExampleMovesTheSumByMoreThanM(magnitude: FactoredNormsTests.Magnitude) throws {
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
                    #expect(try !Self.movesTooMuch(gradients, rule, scale: scale), "\(rule)")
                }
            }
        }
    }

    /// Scales whose powers of two leave Float32's range when rows are balanced: nothing may vanish from a norm.
    @Test(arguments: [
        (98, 52), (100, 50), (102, 48), (105, 45), (110, 40), (119, 40), (60, 60), (-100, 60), (-120, -40),
    ])
    func scalesAtTheEndsOfTheRangeDoNotHideAnExample(rows: Int, corner: Int) throws {
        let (inputs, outputs) = (512, 128)
        let layout = try TreeLayout([("kernel", [inputs, outputs])])
        var scale = [Float](repeating: Float(sign: .plus, exponent: rows, significand: 1), count: inputs * outputs)
        for column in 0..<outputs { scale[column] = 1 }
        scale[0] = Float(sign: .plus, exponent: corner, significand: 1)
        for (activation, clipNorm) in [(0x1p-30, 1.0), (1, 1), (1, 0x1p20), (0x1p-30, 0x1p60)] as [(Float, Double)] {
            var activations = [Float](repeating: activation, count: inputs)
            activations[0] = 0
            let norm = Double(activation) * 511.0.squareRoot() * pow(2, Double(rows)) * 128.0.squareRoot()
            let gradient = Float(40 * clipNorm / norm)
            let gradients = try FactoredGradients(
                layout: layout, exampleCount: 1,
                parts: [
                    .dense(
                        kernel: "kernel", bias: nil, activations: Matrix([activations]),
                        outputGradients: Matrix([(0..<outputs).map { $0 % 2 == 0 ? gradient : -gradient }]))
                ])
            let sum = try ExactSum(
                [gradients], .flat(l2ClipNorm: clipNorm), scale: ParameterVector(values: scale, layout: layout))
            #expect(sum.integers.map(Double.init).norm <= Double(sum.grid.sensitivity))
        }
    }

    /// A type from outside that answers wrongly, in ways that break floating-point sums (``FactoredSumTests``), breaks
    /// no exact sum: its gradients are written out and measured here.
    @Test(arguments: BrokenFactors.Fault.allCases)
    func liesAboutNormsAndSumsDoNotMoveTheSumByMoreThanM(fault: BrokenFactors.Fault) throws {
        let gradients = try RandomFactors(seed: 7).gradients
        let scale = try FactoredEqualityTests.scale(gradients.layout, seed: 8)
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        for scale in [nil, scale] {
            let whole = try ExactSum([BrokenFactors(base: gradients, fault: fault)], rule, scale: scale)
            #expect(whole.integers.contains { $0 != 0 })
            for left in 0..<gradients.exampleCount {
                let rest = try RandomFactors.subset(gradients, (0..<gradients.exampleCount).filter { $0 != left })
                let without = try ExactSum([BrokenFactors(base: rest, fault: fault)], rule, scale: scale)
                #expect(whole.distance(to: without) <= Double(whole.grid.sensitivity))
            }
        }
    }

    /// Layers large enough that whole tiles are used, at the bound: the distance comes close to M, and does not pass
    /// it.
    @Test func examplesAtTheBoundUseIt() throws {
        let shapes: [(Int, Int, FactoredNormsTests.Magnitude?)] = [
            (70, 45, nil), (300, 10, nil), (10, 300, nil), (70, 45, .unit), (130, 64, .mixed),
        ]
        for (inputs, outputs, scale) in shapes {
            let layer = try FactoredNormsTests.Layer(5, inputs, outputs, .unit, .unit, scale, seed: 3)
            let rule = try ClippingRule.flat(l2ClipNorm: 1e-3)
            let shortOfIt = try Self.movesTooMuch(layer.gradients, rule, scale: layer.scale, bound: 0.998)
            #expect(shortOfIt, "\(inputs) × \(outputs)")
            #expect(try !Self.movesTooMuch(layer.gradients, rule, scale: layer.scale))
        }
    }

    // MARK: No bit depends on order

    @Test func sumsDoNotDependOnOrderMicrobatchesOrThreads() throws {
        let gradients = try RandomFactors(
            {
                var shape = RandomFactors.Shape(); shape.examples = 90; return shape
            }(), seed: 5
        ).gradients
        var generator = SeededGenerator(seed: 6)
        let layout = gradients.layout
        let scale = try FactoredEqualityTests.scale(layout, seed: 8)
        let dense = try DenseRows(
            Matrix(
                rows: 90, columns: layout.count,
                elements: (0..<90 * layout.count).map { _ in generator.float(-3...3) }), layout: layout)
        let limit = Threads.limit
        Threads.sharesSmallWork = true
        defer {
            Threads.limit = limit
            Threads.sharesSmallWork = false
        }
        let orders = [Array(0..<90), Array((0..<90).reversed()), (0..<90).map { $0 * 37 % 90 }]
        for rule in try FactoredEqualityTests.rules().prefix(3) {
            for scale in [nil, scale] {
                Threads.limit = 1
                let factoredSum = try ExactSum([gradients], rule, scale: scale)
                let denseSum = try ExactSum([dense], rule, scale: scale)
                for (threads, order) in zip([1, 2, 5], orders) {
                    Threads.limit = threads
                    for cuts in [[90], [1, 29, 60]] {
                        var rest = order[...]
                        let parts = cuts.map { cut in
                            defer { rest = rest.dropFirst(cut) }
                            return Array(rest.prefix(cut))
                        }
                        let factored = try parts.map { try RandomFactors.subset(gradients, $0) }
                        #expect(try ExactSum(factored, rule, scale: scale) == factoredSum)
                        let rows = try parts.map { part in
                            try DenseRows(
                                Matrix(
                                    part.map { Array(UnsafeBufferPointer(start: dense.row($0), count: layout.count)) }),
                                layout: layout)
                        }
                        #expect(try ExactSum(rows, rule, scale: scale) == denseSum)
                    }
                }
            }
        }
    }

    /// The twin: Float64 sums of the same rows depend on their order.
    @Test func floatingPointSumsDependOnOrder() throws {
        let layout = flatLayout(200)
        var generator = SeededGenerator(seed: 1)
        let rows = (0..<90).map { _ in (0..<200).map { _ in generator.float(-3...3) } }
        func sum(_ rows: [[Float]]) throws -> [Double] {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noise: .floatingPointGaussian,
                noiseMultiplier: 1)
            aggregate.add(try DenseRows(Matrix(rows), layout: layout))
            return Array(aggregate.sum.values.buffer)
        }
        #expect(try sum(rows) != sum(rows.reversed()))
    }

    // MARK: Range

    /// More examples than 32 bits hold are carried, not wrapped: rows and outer products.
    @Test func largeBatchesAreCarried() throws {
        let layout = try TreeLayout([("kernel", [1, 2])])
        let count = 3000
        let rule = try ClippingRule.flat(l2ClipNorm: 1)
        let rows = try DenseRows(
            Matrix(rows: count, columns: 2, elements: (0..<count).flatMap { _ in [Float(1), 0] }), layout: layout)
        let one = try ExactSum([Self.subset(rows, without: nil)], rule)
        let contribution = Int((Double(one.integers[0]) / Double(count)).rounded())
        #expect(one.integers == [count * contribution, 0])
        #expect(one.integers[0] > Int(Int32.max))
        #expect(Double(contribution) > 0.999 * Double(one.grid.sensitivity))
        let factored = try FactoredGradients(
            layout: layout, exampleCount: count,
            parts: [
                .dense(
                    kernel: "kernel", bias: nil,
                    activations: Matrix(rows: count, columns: 1, elements: [Float](repeating: 1, count: count)),
                    outputGradients: Matrix(
                        rows: count, columns: 2, elements: (0..<count).flatMap { _ in [Float(1), 0] }))
            ])
        let product = try ExactSum([factored, factored, factored], rule)
        #expect(product.integers[0] > 2 * Int(Int32.max) && product.integers[1] == 0)
        #expect(Double(product.integers[0]) > 0.998 * 3 * Double(count * one.grid.sensitivity))
        // Rows in the columns of an outer product, before and after.
        var mixed = try ClippedAggregate(rule, transform: IdentityTransform(layout: layout), noiseMultiplier: 1)
        for _ in 0..<3 {
            mixed.add(rows)
            mixed.add(factored)
        }
        let expected = 3 * one.integers[0] + product.integers[0]
        #expect(ExactSum(mixed, scale: nil).integers == [expected, 0])
    }

    /// The sum is the clipped one, but for the grid: dense rows within half a unit an example.
    @Test func exactAndFloatingPointSumsAgree() throws {
        let gradients = try RandomFactors(seed: 2).gradients
        let scale = try FactoredEqualityTests.scale(gradients.layout, seed: 9)
        for rule in try FactoredEqualityTests.rules() {
            for scale in [nil, scale] {
                let exact = try ExactSum([gradients], rule, scale: scale)
                let found = exact.integers.map { Double($0) * exact.grid.spacing / rule.normalizeBy }
                let expected = try FactoredEqualityTests.privateSum(gradients, rule, scale: scale, noiseMultiplier: 0)
                let error = zip(found, expected).map { $0 - Double($1) }.norm
                // Rounding to 16 bits and to the grid is below a hundredth of the bound for each of seven examples.
                let bound = try rule.sensitivity(for: .addOrRemoveOne, layout: gradients.layout)
                #expect(error <= 0.01 * bound * 7, "\(rule)")
            }
        }
    }

    /// Gradients far below the clip norm are rounded as finely as those at it: 16 bits follow the contribution.
    @Test(arguments: [1.0, 1e2, 1e3, 1e4])
    func smallGradientsAreNotRoundedAway(ratio: Double) throws {
        let layer = try FactoredNormsTests.Layer(3, 90, 40, .unit, .unit, nil, seed: 4)
        let gradient = layer.gradients.exactGradient(of: 1)
        let one = try RandomFactors.subset(layer.gradients, [1])
        let sum = try ExactSum([one], .flat(l2ClipNorm: ratio * gradient.norm * 1.01))
        let error = zip(sum.integers, gradient).map { Double($0) * sum.grid.spacing - $1 }.norm / gradient.norm
        // Half a unit an element: in two rows with A·E = 2²⁵/ratio and A/E = √(in/out), and in the grid.
        let rows = 3600.0.squareRoot().squareRoot() / (0x1p25 / ratio).squareRoot()
        let grid = GridRounding.ofExample(columns: 3600) / (0x1p22 / ratio)
        #expect(error < 1.1 * (rows + grid))
    }

    /// Gradients that no integer can show cost nothing: they are not taken row by row.
    @Test func tinyGradientsAreNotAddedAsRows() throws {
        let layer = try FactoredNormsTests.Layer(4, 90, 40, .unit, .unit, nil, seed: 4)
        let rule = try ClippingRule.flat(l2ClipNorm: 1e9)
        var aggregate = try ClippedAggregate(
            rule, transform: IdentityTransform(layout: layer.gradients.layout), noiseMultiplier: 1)
        guard case .exact(let sum, let grid) = aggregate.sum else { fatalError("The sum is a floating-point one.") }
        let leaf = layer.gradients.factors[0].gridLeaf(exampleCount: 4, scale: nil, grid: grid)
        leaf.prepare(expectedFactors: Array(repeating: 1 / grid.spacing, count: 4))
        #expect((0..<4).allSatisfy { leaf.place($0, factor: 1 / grid.spacing) == 0 })
        #expect((0..<4).allSatisfy { leaf.squaredNorm(of: $0) > 0 })
        aggregate.add(layer.gradients)
        #expect(sum.fine == nil && sum.recent.buffer.allSatisfy { $0 == 0 })
        // The control: the same gradients a million times as large.
        let larger = layer.gradients.factors[0].gridLeaf(exampleCount: 4, scale: nil, grid: grid)
        larger.prepare(expectedFactors: Array(repeating: 1e6 / grid.spacing, count: 4))
        #expect((0..<4).allSatisfy { larger.place($0, factor: 1e6 / grid.spacing) != 0 })
    }
}
