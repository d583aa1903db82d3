import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

/// **Guarantee:** a unit with several rows is one contribution: however all of its gradients change, the sum moves by
/// no more than one clipped contribution does.
@Suite struct UnitMeansTests {
    /// A unit's gradients, as one of the kinds that a batch can bring.
    private enum Kind: CaseIterable {
        case dense, factored, foreign
    }

    /// How a unit with several rows is added.
    private enum Way {
        case asOne
        /// The broken twin: each row is clipped by itself.
        case rowByRow
    }

    private static let sizes = [3, 1, 4, 2]

    /// Rows of the units; `gradients` for all of them.
    private static func batch(_ seed: UInt64, magnitude: Float, _ sizes: [Int] = sizes) throws -> FactoredGradients {
        var shape = RandomFactors.Shape()
        shape.examples = sizes.reduce(0, +)
        shape.magnitude = { magnitude * $0.float() }
        return try RandomFactors(shape, seed: seed).gradients
    }

    /// The rows of `units` of both batches, those of a unit in `replaced` from the second.
    private static func rows(
        _ gradients: FactoredGradients, of units: [Int], _ sizes: [Int] = sizes
    ) throws -> (FactoredGradients, UnitRows) {
        let all = UnitRows(counts: sizes)
        return (
            try RandomFactors.subset(gradients, units.flatMap { Array(all[$0]) }),
            UnitRows(counts: units.map { sizes[$0] })
        )
    }

    private static func add<Transform>(
        _ gradients: FactoredGradients, _ units: UnitRows, _ kind: Kind, _ way: Way,
        to aggregate: inout ClippedAggregate<Transform>
    ) throws {
        func add(_ gradients: some PerExampleGradients) {
            switch way {
            case .asOne: aggregate.add(gradients, meansOf: units)
            case .rowByRow: aggregate.add(gradients)
            }
        }
        switch kind {
        case .dense: add(try gradients.dense())
        case .factored: add(gradients)
        case .foreign: add(ForeignGradients(base: gradients))
        }
    }

    private static func exactSum(
        _ gradients: FactoredGradients, _ units: UnitRows, _ kind: Kind, _ way: Way, _ rule: ClippingRule,
        scale: ParameterVector?
    ) throws -> ExactSum {
        if let scale {
            var aggregate = try ClippedAggregate(
                rule, transform: DiagonalTransform(checkedScale: scale), noiseMultiplier: 1)
            try add(gradients, units, kind, way, to: &aggregate)
            return ExactSum(aggregate, scale: scale)
        }
        var aggregate = try ClippedAggregate(
            rule, transform: IdentityTransform(layout: gradients.layout), noiseMultiplier: 1)
        try add(gradients, units, kind, way, to: &aggregate)
        return ExactSum(aggregate, scale: nil)
    }

    /// Whether taking some unit away moves the exact sum by more than M, or some other gradients of a unit by more than
    /// 2M.
    private static func movesTooMuch(_ kind: Kind, _ way: Way, _ rule: ClippingRule, scaled: Bool) throws -> Bool {
        let (first, second) = (try batch(1, magnitude: 40), try batch(2, magnitude: 900))
        let scale = scaled ? try FactoredEqualityTests.scale(first.layout, seed: 8) : nil
        let all = Array(sizes.indices)
        let (gradients, units) = try rows(first, of: all)
        let whole = try exactSum(gradients, units, kind, way, rule, scale: scale)
        let bound = Double(whole.grid.sensitivity)
        return try all.contains { unit in
            let (rest, restUnits) = try rows(first, of: all.filter { $0 != unit })
            let without = try exactSum(rest, restUnits, kind, way, rule, scale: scale)
            let (other, otherUnits) = try rows(second, of: [unit])
            let replacement = try exactSum(other, otherUnits, kind, way, rule, scale: scale)
            let moved = zip(whole.integers, zip(without.integers, replacement.integers)).map { $0 - $1.0 - $1.1 }
            return whole.distance(to: without) > bound || moved.map(Double.init).norm > 2 * bound
        }
    }

    @Test(arguments: [false, true])
    func aUnitMovesTheExactSumByNoMoreThanOneContribution(scaled: Bool) throws {
        for rule in try [.flat(l2ClipNorm: 0.7), .automatic(l2ClipNorm: 2)] as [ClippingRule] {
            for kind in Kind.allCases {
                #expect(try !Self.movesTooMuch(kind, .asOne, rule, scaled: scaled), "\(kind)")
                // The broken twin: three rows of norm C each.
                #expect(try Self.movesTooMuch(kind, .rowByRow, rule, scaled: scaled), "\(kind)")
            }
        }
    }

    /// The same of floating-point sums, whose rounding is far below a thousandth here.
    @Test func aUnitMovesTheFloatingPointSumByNoMoreThanOneContribution() throws {
        let gradients = try Self.batch(3, magnitude: 40)
        func sum(_ members: [Int], _ kind: Kind, _ way: Way) throws -> [Double] {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 0.7), transform: IdentityTransform(layout: gradients.layout), noiseMultiplier: 0)
            let (rows, units) = try Self.rows(gradients, of: members)
            try Self.add(rows, units, kind, way, to: &aggregate)
            return Array(aggregate.sum.values.buffer)
        }
        for kind in Kind.allCases {
            let distances = try [Way.asOne, .rowByRow].map { way in
                let whole = try sum([0, 1, 2, 3], kind, way)
                return try [0, 1, 2, 3].map { left in
                    let rest = try sum([0, 1, 2, 3].filter { $0 != left }, kind, way)
                    return zip(whole, rest).map { $0 - $1 }.norm
                }.max()!
            }
            #expect(distances[0] <= 0.7 * 1.001 && distances[0] > 0.69 && distances[1] > 0.7 * 1.001)
        }
    }

    /// Without clipping the sum is that of the means, from the definition in Float64.
    ///
    /// A mean is off by the rounding of e/k, of its products and their sums in Float32: γ₂₀ of Σ|a||e| covers them.
    @Test func whatIsClippedIsTheMean() throws {
        let gradients = try Self.batch(4, magnitude: 1)
        let units = UnitRows(counts: Self.sizes)
        var expected = [Double](repeating: 0, count: gradients.layout.count)
        for unit in 0..<units.unitCount {
            for row in units[unit] {
                for (column, value) in gradients.exactGradient(of: row).enumerated() {
                    expected[column] += value / Double(units[unit].count)
                }
            }
        }
        for kind in Kind.allCases {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: .infinity), transform: IdentityTransform(layout: gradients.layout),
                noiseMultiplier: 0)
            try Self.add(gradients, units, kind, .asOne, to: &aggregate)
            let sum = aggregate.sum.values.buffer
            // At most 4 units of 3 positions, each of |a||e| ≤ 1.
            let error = 12 * accumulatedRoundingError(20)
            #expect(zip(sum, expected).allSatisfy { abs($0 - $1) <= error }, "\(kind)")
        }
        // Control: the rows' sum is another one.
        #expect((0..<gradients.exampleCount).map { gradients.exactGradient(of: $0)[0] }.reduce(0, +) != expected[0])
    }

    /// What a unit adds is the same in every bit, whoever else is in its block and however the batch is cut.
    @Test(arguments: [false, true])
    func aUnitsContributionDependsOnNoOther(scaled: Bool) throws {
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        let gradients = try Self.batch(5, magnitude: 3)
        let scale = scaled ? try FactoredEqualityTests.scale(gradients.layout, seed: 9) : nil
        for kind in Kind.allCases {
            func sum(_ members: [Int]) throws -> [Int] {
                let (rows, units) = try Self.rows(gradients, of: members)
                return try Self.exactSum(rows, units, kind, .asOne, rule, scale: scale).integers
            }
            let whole = try sum([0, 1, 2, 3])
            for cuts in [[[0], [1], [2], [3]], [[0, 1], [2, 3]], [[3], [0, 1, 2]]] where !scaled || kind != .factored {
                let parts = try cuts.map(sum)
                let together = parts.dropFirst().reduce(parts[0]) { (a: [Int], b: [Int]) -> [Int] in zip(a, b).map(+) }
                #expect(together == whole, "\(kind)")
            }
            // Under a scale, the sums of dense layers are rounded once, at the end.
            if scaled, kind == .factored { #expect(try sum([3, 1, 2, 0]) == whole) }
        }
    }

    @Test func unitsOfOneRowAreExamples() throws {
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        let gradients = try Self.batch(6, magnitude: 3)
        let ones = UnitRows(counts: Array(repeating: 1, count: gradients.exampleCount))
        for kind in Kind.allCases {
            #expect(
                try Self.exactSum(gradients, ones, kind, .asOne, rule, scale: nil)
                    == Self.exactSum(gradients, ones, kind, .rowByRow, rule, scale: nil))
        }
        // Beside larger units, too: what one row gives is what it gives alone.
        let (alone, unit) = try Self.rows(gradients, of: [1])
        let (others, otherUnits) = try Self.rows(gradients, of: [0, 2, 3])
        let (all, units) = try Self.rows(gradients, of: [0, 1, 2, 3])
        for kind in Kind.allCases {
            let sums = try [(alone, unit), (others, otherUnits), (all, units)].map {
                try Self.exactSum($0.0, $0.1, kind, .asOne, rule, scale: nil).integers
            }
            #expect(zip(sums[0], sums[1]).map(+) == sums[2])
            #expect(sums[0] == (try Self.exactSum(alone, unit, kind, .rowByRow, rule, scale: nil).integers))
        }
    }

    @Test func aGradientThatIsNotFiniteTakesItsUnitOut() throws {
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        let gradients = try Self.batch(7, magnitude: 3).dense()
        let units = UnitRows(counts: Self.sizes)
        var elements = (0..<gradients.exampleCount).flatMap { row in
            Array(UnsafeBufferPointer(start: gradients.row(row), count: gradients.layout.count))
        }
        elements[5 * gradients.layout.count] = .nan
        func sum(_ elements: [Float], padding: [Bool]?) throws -> [Int] {
            var aggregate = try ClippedAggregate(
                rule, transform: IdentityTransform(layout: gradients.layout), noiseMultiplier: 1)
            let rows = try DenseRows(
                Matrix(rows: gradients.exampleCount, columns: gradients.layout.count, elements: elements),
                layout: gradients.layout)
            aggregate.add(rows, meansOf: units, padding: padding)
            return ExactSum(aggregate, scale: nil).integers
        }
        // Row 5 is the third unit's.
        let without = try sum(elements, padding: [false, false, true, false])
        #expect(try sum(elements, padding: nil) == without)
        elements[5 * gradients.layout.count] = 0
        #expect(try sum(elements, padding: nil) != without)
    }

    /// Under a transform that is not diagonal, too: what is mapped and clipped is the mean.
    @Test func aProjectedUnitIsOneContribution() throws {
        let gradients = try Self.batch(9, magnitude: 40)
        let projection = LinearProjection(gradients.layout, dimensions: 5, seed: 2)
        let rule = try ClippingRule.flat(l2ClipNorm: 0.7)
        func sum(_ members: [Int], _ kind: Kind, _ way: Way) throws -> ExactSum {
            var aggregate = try ClippedAggregate(rule, transform: projection, noiseMultiplier: 1)
            let (rows, units) = try Self.rows(gradients, of: members)
            try Self.add(rows, units, kind, way, to: &aggregate)
            return ExactSum(aggregate, scale: nil)
        }
        for kind in Kind.allCases {
            let moved = try [Way.asOne, .rowByRow].map { way in
                let whole = try sum([0, 1, 2, 3], kind, way)
                return try [0, 1, 2, 3].map { left in
                    whole.distance(to: try sum([0, 1, 2, 3].filter { $0 != left }, kind, way))
                        / Double(whole.grid.sensitivity)
                }.max()!
            }
            #expect(moved[0] <= 1 && moved[0] > 0.99 && moved[1] > 1)
        }
    }

    /// The count of adaptive clipping is of units.
    @Test func unitsAreCounted() throws {
        let gradients = try Self.batch(8, magnitude: 1)
        for kind in Kind.allCases {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1e9), transform: IdentityTransform(layout: gradients.layout), noiseMultiplier: 1)
            aggregate.countExamplesWithinBound()
            try Self.add(gradients, UnitRows(counts: Self.sizes), kind, .asOne, to: &aggregate)
            #expect(aggregate.signedCount == 4)
        }
    }

    @Test func otherNumbersOfRowsTrap() async {
        await #expect(processExitsWith: .failure) { try Self.addTwoRows(units: [1, 2], padding: nil) }
        await #expect(processExitsWith: .failure) { try Self.addTwoRows(units: [2], padding: [false, false]) }
        await #expect(processExitsWith: .failure) { try Self.addTwoRows(units: [2, 0], padding: nil) }
        // Control.
        await #expect(processExitsWith: .success) { try Self.addTwoRows(units: [2], padding: [false]) }
    }

    private static func addTwoRows(units: [Int], padding: [Bool]?) throws {
        let layout = flatLayout(3)
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noiseMultiplier: 1)
        aggregate.add(
            try DenseRows(Matrix(rows: 2, columns: 3), layout: layout), meansOf: UnitRows(counts: units),
            padding: padding)
    }
}
