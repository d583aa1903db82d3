import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// Question 1: never below the true norm, and above it by no more than is said.
@Suite struct FactoredNormsTests {
    /// Numbers of one magnitude, or of all.
    enum Magnitude: CaseIterable {
        case unit, tiny, huge, denormal, largest, mixed, sparse, extremes

        func number(_ generator: inout SeededGenerator) -> Float {
            let unit = generator.float()
            switch self {
            case .unit: return unit
            case .tiny: return unit * 1e-30
            case .huge: return unit * 1e30
            case .denormal: return unit * (700 * .leastNonzeroMagnitude)
            case .largest: return unit < 0 ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude
            case .mixed: return Float(sign: .plus, exponent: Int(generator.next() % 60) - 30, significand: unit)
            case .sparse: return generator.next() % 4 == 0 ? unit : 0
            case .extremes: return Float(sign: .plus, exponent: Int(generator.next() % 270) - 145, significand: unit)
            }
        }

        /// As a scale: positive.
        func factor(_ generator: inout SeededGenerator) -> Float {
            let number = abs(number(&generator))
            return number > 0 ? number : .leastNonzeroMagnitude
        }
    }

    struct Layer {
        let activations: Matrix
        let outputGradients: Matrix
        let scale: ParameterVector?
        let gradients: FactoredGradients

        init(_ b: Int, _ m: Int, _ n: Int, _ a: Magnitude, _ e: Magnitude, _ s: Magnitude?, seed: UInt64) throws {
            var generator = SeededGenerator(seed: seed)
            activations = Matrix(rows: b, columns: m, elements: (0..<b * m).map { _ in a.number(&generator) })
            outputGradients = Matrix(rows: b, columns: n, elements: (0..<b * n).map { _ in e.number(&generator) })
            let layout = try TreeLayout([("kernel", [m, n])])
            scale = try s.map { s in
                try ParameterVector(values: (0..<m * n).map { _ in s.factor(&generator) }, layout: layout)
            }
            gradients = try FactoredGradients(
                layout: layout, exampleCount: b,
                parts: [.dense(kernel: "kernel", bias: nil, activations: activations, outputGradients: outputGradients)]
            )
        }

        /// Σ (s·a·e)² in Float64: 1e-45 and 3e38 to the sixth are within its range. Errs by (m·n + 4)·2⁻⁵³.
        func exactSquare(_ example: Int) -> Double {
            var sum = 0.0
            for p in 0..<activations.columns {
                for q in 0..<outputGradients.columns {
                    let scale = Double(scale?.values[p * outputGradients.columns + q] ?? 1)
                    let value = scale * Double(activations[example, p]) * Double(outputGradients[example, q])
                    sum += value * value
                }
            }
            return sum
        }

        /// The examples whose square is below the exact one, and those above it by more than is said.
        func misjudged(_ squares: [Double]) -> (below: Int, above: Int) {
            let rounding = Double(activations.columns * outputGradients.columns + 8) * 0x1p-52
            let allowed = accumulatedRoundingError(activations.columns + 4) * 2 + 0x1p-20 + rounding
            var (below, above) = (0, 0)
            for (example, square) in squares.enumerated() {
                let exact = exactSquare(example)
                if !(square >= exact * (1 - rounding)) { below += 1 }
                if !(square <= exact * (1 + allowed)) { above += 1 }
            }
            return (below, above)
        }
    }

    static func squares(_ gradients: some PerExampleGradients, scale: ParameterVector?) -> [Double] {
        var squares = [Double](repeating: .nan, count: gradients.exampleCount)
        var span = squares.mutableSpan
        gradients.squaredNorms(
            of: 0..<gradients.exampleCount, under: scale, groups: ColumnGroups(ranges: [0..<gradients.layout.count]),
            into: &span)
        return squares
    }

    @Test(arguments: Magnitude.allCases)
    func normsOfDenseLayersAreNeverTooSmallNorFarTooLarge(scale: Magnitude) throws {
        var seed: UInt64 = 1
        for a in Magnitude.allCases {
            for e in Magnitude.allCases {
                for (b, m, n) in [(3, 1, 1), (5, 9, 7), (2, 40, 3)] {
                    for scale in [nil, scale] {
                        seed += 1
                        let layer = try Layer(b, m, n, a, e, scale, seed: seed)
                        let found = layer.misjudged(Self.squares(layer.gradients, scale: layer.scale))
                        #expect(found == (0, 0), "\(a) × \(e) under \(scale.map { "\($0)" } ?? "no scale")")
                    }
                }
            }
        }
    }

    @Test(arguments: [(257, 3, 300), (4, 1030, 2), (300, 520, 260)])
    func normsOverManyTilesAreNeverTooSmallNorFarTooLarge(b: Int, m: Int, n: Int) throws {
        for scale in [Magnitude.unit, .mixed] {
            let layer = try Layer(b, m, n, .unit, .unit, scale, seed: UInt64(b))
            #expect(layer.misjudged(Self.squares(layer.gradients, scale: layer.scale)) == (0, 0))
        }
    }

    /// The control: the same product, but not rounded up, overflows, vanishes, and is too small half of the time.
    @Test func aProductAsItComesFailsTheSameTest() throws {
        func plain(_ layer: Layer) -> [Double] {
            func squared(_ matrix: Matrix) -> Matrix {
                var result = matrix
                result.withUnsafeMutableElements { for index in $0.indices { $0[index] *= $0[index] } }
                return result
            }
            let (b, m, n) = (layer.outputGradients.rows, layer.activations.columns, layer.outputGradients.columns)
            var product = Matrix(rows: b, columns: n)
            BLAS.gemm(
                squared(layer.activations), .none,
                squared(Matrix(rows: m, columns: n, elements: layer.scale!.values)), .none, into: &product)
            return (0..<b).map { example in
                (0..<n).reduce(0.0) {
                    let error = Double(layer.outputGradients[example, $1])
                    return $0 + Double(product[example, $1]) * error * error
                }
            }
        }
        let ordinary = try Layer(40, 30, 20, .unit, .unit, .unit, seed: 1)
        #expect(ordinary.misjudged(plain(ordinary)).below > 5)
        let tiny = try Layer(40, 30, 20, .tiny, .unit, .unit, seed: 1)
        #expect(tiny.misjudged(plain(tiny)).below == 40)
        let huge = try Layer(40, 30, 20, .huge, .unit, .unit, seed: 1)
        #expect(huge.misjudged(plain(huge)).above == 40)
    }

    /// Positions that cancel each other to every degree; the norm must be that of the gradient which is added.
    @Test(arguments: [(2, 40, 30), (3, 200, 150), (20, 9, 7), (4, 300, 5)])
    func normsOfPositionsAreNeverBelowThoseOfTheGradient(positions: Int, m: Int, n: Int) throws {
        var generator = SeededGenerator(seed: 5)
        let b = 24
        var activations = Matrix(rows: b * positions, columns: m)
        var outputGradients = Matrix(rows: b * positions, columns: n)
        for example in 0..<b {
            // The first half repeats one position with alternating sign, but for a last bit and some dust.
            let size = Float(sign: .plus, exponent: [0, -100, 60, -60][example % 4], significand: 1)
            for t in 0..<positions {
                let row = example * positions + t
                for p in 0..<m {
                    let repeats = t > 0 && example < b / 2
                    activations[row, p] =
                        repeats ? -activations[row - 1, p] * (1 + 0x1p-23 * Float(p % 2)) : generator.float() * size
                }
                let dust = Float(sign: .plus, exponent: -4 * (example / 4), significand: 1)
                for q in 0..<n {
                    outputGradients[row, q] =
                        t == 0 || example >= b / 2
                        ? generator.float() : outputGradients[row - 1, q] * (1 + dust * 0x1p-20)
                }
            }
        }
        let layout = try TreeLayout([("bias", [n]), ("kernel", [m, n])])
        let gradients = try FactoredGradients(
            layout: layout, exampleCount: b,
            parts: [
                .sequence(
                    kernel: "kernel", bias: "bias", activations: activations, outputGradients: outputGradients,
                    positions: positions)
            ])
        let scale = try FactoredEqualityTests.scale(layout, seed: 2)
        let rows = try multipliedOut(gradients)
        for scale in [nil, scale] {
            let found = Self.squares(gradients, scale: scale)
            let exact = Self.squares(rows, scale: scale)
            for example in 0..<b {
                #expect(found[example] >= exact[example] * (1 - Double(layout.count + 8) * 0x1p-52))
                #expect(found[example] <= exact[example] * (1 + 0x1p-7))
            }
        }
        // The control: a Gram sum with nothing added is too small somewhere.
        let gram = (0..<b).map { example in
            var sum = 0.0
            for t in example * positions..<(example + 1) * positions {
                for s in example * positions..<(example + 1) * positions {
                    let a = (0..<m).reduce(Float(0)) { $0 + activations[t, $1] * activations[s, $1] }
                    let e = (0..<n).reduce(Float(0)) { $0 + outputGradients[t, $1] * outputGradients[s, $1] }
                    sum += Double(a) * Double(e)
                }
            }
            return sum
        }
        let kernel = layout["kernel"]!.range
        let exact = (0..<b).map { example in
            kernel.reduce(0.0) {
                var row = [Float](repeating: 0, count: layout.count)
                var span = row.mutableSpan
                if $1 == kernel.lowerBound { rows.copyGradient(of: example, into: &span) }
                return $1 == kernel.lowerBound
                    ? row[kernel].map(Double.init).norm * row[kernel].map(Double.init).norm : $0
            }
        }
        #expect(zip(gram, exact).contains { $0 < $1 * 0.999 })
    }

    @Test func gradientsOfPositionsThatOverflowAreExcluded() throws {
        let layout = try TreeLayout([("kernel", [2, 2])])
        let large = Matrix(rows: 4, columns: 2, elements: [Float](repeating: 1e30, count: 8))
        let gradients = try FactoredGradients(
            layout: layout, exampleCount: 2,
            parts: [.sequence(kernel: "kernel", bias: nil, activations: large, outputGradients: large, positions: 2)])
        #expect(Self.squares(gradients, scale: nil).allSatisfy { !$0.isFinite })
        #expect(try FactoredEqualityTests.privateSum(gradients, .flat(l2ClipNorm: 1), scale: nil) == [0, 0, 0, 0])
    }

    @Test func aScaleThatIsNotFiniteGivesNoFiniteNorm() throws {
        let layer = try Layer(3, 4, 5, .unit, .unit, .unit, seed: 1)
        for poison in [Float.nan, .infinity] {
            var scale = try #require(layer.scale)
            scale.withUnsafeMutableValues { $0[7] = poison }
            #expect(Self.squares(layer.gradients, scale: scale).allSatisfy { !$0.isFinite })
        }
        #expect(Self.squares(layer.gradients, scale: layer.scale).allSatisfy { $0.isFinite })
    }
}
