import LinearAlgebra
import PyTrees
import Testing
import _TestSupport

@testable import Differentiation
@testable import PrivacyMechanisms

/// What holds for every model's function, whatever its operations are.
///
/// - Gradients in Float64 are those of central differences.
/// - Gradients in Float32 are those in Float64 but for rounding.
/// - Norms and sums of the factors are those of the rows that they stand for, and no norm is too small.
/// - An example's row, loss and outputs are the same in every bit, whatever else is in the batch.
struct ModelCheck {
    let program: Program
    let inputs: ProgramInputs<Float>
    let parameters: ParameterVector
    /// How many elements of each leaf are compared with differences.
    var elementsPerLeaf = 12
    /// The third derivative times h²/6, with h = 2⁻¹⁷, and rounding, 2⁻⁵³·L/h, of functions that change by no more than
    /// a few hundred times: both below 10⁻⁷.
    var differenceTolerance = 1e-6
    /// Float32 roundings of sums of a few hundred terms: a few hundred times 2⁻²⁴.
    var roundingTolerance: Float = 2e-5

    func expectAll(sourceLocation: SourceLocation = #_sourceLocation) {
        // A parameter that no operation takes has a gradient of zeros, which every check below would pass.
        #expect(program.unusedLeaves == [], sourceLocation: sourceLocation)
        let rows = run(inputs)
        expectDifferences(sourceLocation)
        expectRounding(rows, sourceLocation)
        expectFactors(rows, sourceLocation)
        expectIndependence(rows, sourceLocation)
    }

    struct Rows {
        let gradients: FactoredGradients
        let rows: [[Float]]
        let losses: [Float]
    }

    func run(_ inputs: ProgramInputs<Float>) -> Rows {
        var memory = ProgramMemory<Float>()
        return parameters.withUnsafeValues { values in
            let base = values.baseAddress!
            program.forward(inputs, at: base, extent: .losses, memory: &memory)
            let losses = (0..<inputs.exampleCount).map { memory.values[program.loss][$0, 0] }
            let uses = program.backward(inputs, at: base, memory: &memory)
            let gradients = program.factoredGradients(uses, exampleCount: inputs.exampleCount, losses: losses)
            let rows = (0..<inputs.exampleCount).map { example in
                var row = [Float](repeating: 0, count: program.layout.count)
                var span = row.mutableSpan
                gradients.copyGradient(of: example, into: &span)
                return row
            }
            return Rows(gradients: gradients, rows: rows, losses: losses)
        }
    }

    private func expectDifferences(_ sourceLocation: SourceLocation) {
        let inputs = inputs.inDouble
        let center = parameters.values.map(Double.init)
        let rows = program.lossesAndRows(of: inputs, at: center).rows
        var generator = SeededGenerator(seed: 7)
        for leaf in program.layout.leaves {
            let columns =
                leaf.range.count <= elementsPerLeaf
                ? Array(leaf.range) : (0..<elementsPerLeaf).map { _ in Int.random(in: leaf.range, using: &generator) }
            for column in columns {
                var moved = center
                moved[column] += 0x1p-17
                let above = program.lossesAndRows(of: inputs, at: moved).losses
                moved[column] -= 0x1p-16
                let below = program.lossesAndRows(of: inputs, at: moved).losses
                for example in rows.indices {
                    let difference = (above[example] - below[example]) / 0x1p-16
                    let gradient = rows[example][column]
                    #expect(
                        abs(gradient - difference) <= differenceTolerance * max(1, abs(gradient)),
                        "\(leaf.path)[\(column - leaf.range.lowerBound)] of example \(example)",
                        sourceLocation: sourceLocation)
                }
            }
        }
    }

    private func expectRounding(_ found: Rows, _ sourceLocation: SourceLocation) {
        let exact = program.lossesAndRows(of: inputs.inDouble, at: parameters.values.map(Double.init))
        for example in found.rows.indices {
            let size = exact.rows[example].reduce(0) { max($0, abs($1)) }
            let error = zip(found.rows[example], exact.rows[example]).reduce(0.0) { max($0, abs(Double($1.0) - $1.1)) }
            #expect(
                error <= Double(roundingTolerance) * max(size, 0x1p-20), "row \(example)",
                sourceLocation: sourceLocation)
            #expect(
                abs(Double(found.losses[example]) - exact.losses[example])
                    <= Double(roundingTolerance) * max(1, abs(exact.losses[example])),
                "loss \(example)", sourceLocation: sourceLocation)
        }
    }

    private func expectFactors(_ found: Rows, _ sourceLocation: SourceLocation) {
        let (gradients, count) = (found.gradients, found.rows.count)
        var generator = SeededGenerator(seed: 8)
        let random = (0..<program.layout.count).map { _ in Float.random(in: 0.25...4, using: &generator) }
        let groups = ColumnGroups(ranges: [0..<program.layout.count])
        for scale in [nil, try! ParameterVector(values: random, layout: program.layout)] {
            var norms = [Double](repeating: 0, count: count)
            var span = norms.mutableSpan
            gradients.squaredNorms(of: 0..<count, under: scale, groups: groups, into: &span)
            for example in 0..<count {
                let exact = found.rows[example].indices.reduce(0.0) { sum, column in
                    let value = Double(found.rows[example][column]) * Double(scale?.values[column] ?? 1)
                    return sum + value * value
                }
                // Rows that are read here are products in Float32 of what the norm is of.
                #expect(
                    norms[example] >= exact * (1 - 0x1p-22), "norm \(example)", sourceLocation: sourceLocation)
                #expect(
                    norms[example] <= exact * (1 + 0x1p-7) + 0x1p-100, "norm \(example)",
                    sourceLocation: sourceLocation)
            }
        }
        let factors = (0..<count).map { _ in Double.random(in: 0.5...2, using: &generator) }
        var sum = ClippedSum(columns: program.layout.count)
        gradients.addWeightedSum(of: 0..<count, clipFactors: factors.span, groups: groups, to: &sum)
        for column in 0..<program.layout.count {
            let terms = found.rows.indices.map { factors[$0] * Double(found.rows[$0][column]) }
            let size = terms.reduce(0) { $0 + abs($1) }
            #expect(
                abs(sum.values.base[column] - terms.reduce(0, +)) <= 0x1p-18 * size + 0x1p-40, "sum at \(column)",
                sourceLocation: sourceLocation)
        }
    }

    private func expectIndependence(_ found: Rows, _ sourceLocation: SourceLocation) {
        let count = inputs.exampleCount
        for order in [[Int](0..<count).reversed(), [count - 1, 0, count - 1]] + (0..<count).map({ [$0] }) {
            let other = run(inputs.gathering(order))
            for (place, example) in order.enumerated() {
                #expect(
                    other.rows[place].map(\.bitPattern) == found.rows[example].map(\.bitPattern),
                    "row of example \(example) in \(order)", sourceLocation: sourceLocation)
                #expect(
                    other.losses[place].bitPattern == found.losses[example].bitPattern,
                    "loss of example \(example) in \(order)", sourceLocation: sourceLocation)
            }
        }
    }
}

extension ProgramInputs<Float> {
    /// The examples at `order`.
    func gathering(_ order: [Int]) -> ProgramInputs {
        func gathered(_ block: NumberBlock<Float>) -> Matrix {
            Matrix(
                rows: order.count, columns: block.columns,
                elements: order.flatMap { row in (0..<block.columns).map { block[row, $0] } })
        }
        return ProgramInputs(
            features: gathered(features), classes: classes.map { classes in order.map { classes[$0] } },
            targets: targets.map(gathered), lengths: lengths.map { lengths in order.map { lengths[$0] } },
            keys: keys.isEmpty ? [] : order.map { keys[$0] })
    }
}
