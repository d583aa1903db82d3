import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

@Suite struct RestrictableGradientsTests {
    private static func mask(_ layout: TreeLayout, seed: UInt64) -> TreeMask {
        var generator = SeededGenerator(seed: seed)
        return TreeMask(layout: layout) { _ in generator.next() % 2 == 0 }
    }

    /// The clipped sum of the selected leaves alone, from rows multiplied out in Float64.
    private static func expected(_ gradients: FactoredGradients, _ mask: TreeMask, _ rule: ClippingRule) throws
        -> [Float]
    {
        let rows = (0..<gradients.exampleCount).map { example in
            let row = gradients.exactGradient(of: example)
            return mask.selectedColumns.flatMap { row[$0] }.map { Float($0) }
        }
        let matrix = Matrix(rows: rows.count, columns: mask.selectedCount, elements: rows.flatMap(\.self))
        return try FactoredEqualityTests.privateSum(
            DenseRows(matrix, layout: mask.selectedLayout), rule, scale: nil)
    }

    /// Every kind of part loses its kernel, its bias, both or neither. The clip norm is below every gradient's, so that
    /// a sum shows which norms were taken.
    @Test(arguments: 0..<24)
    func sumsAreThoseOfTheSelectedLeavesAlone(seed: UInt64) throws {
        let gradients = try RandomFactors(seed: seed).gradients
        let mask = Self.mask(gradients.layout, seed: seed + 50)
        let rule = try ClippingRule.flat(l2ClipNorm: 0.01)
        let expected = try Self.expected(gradients, mask, rule)
        var memory = Matrix(rows: 0, columns: 0)
        let factored = gradients.restricted(to: mask, memory: &memory)
        #expect(factored.layout == mask.selectedLayout)
        let tolerance = try FactoredEqualityTests.tolerance(factored, rule, scale: nil, result: expected)
        func distance(_ subject: some PerExampleGradients) throws -> Double {
            FactoredEqualityTests.distance(
                try FactoredEqualityTests.privateSum(subject, rule, scale: nil), expected)
        }
        #expect(try distance(factored) <= tolerance)
        #expect(try distance(gradients.dense().restricted(to: mask, memory: &memory)) <= tolerance)
        // Control: norms over all leaves, and the update masked afterwards.
        let whole = try FactoredEqualityTests.privateSum(gradients, rule, scale: nil)
        let masked = mask.selectedColumns.flatMap { whole[$0] }
        let isPart = mask.selectedCount > 0 && mask.selectedCount < mask.layout.count
        #expect(!isPart || FactoredEqualityTests.distance(masked, expected) > tolerance)
    }

    /// A gradient that is not finite excludes its example only if it is that of a selected leaf.
    @Test func leavesThatAreLeftOutDoNotExcludeAnExample() throws {
        let layout = try TreeLayout([("a", [2]), ("b", [2])])
        let rows = try DenseRows(Matrix([[1, 2, .nan, 0], [3, 4, 0, 0]]), layout: layout)
        var memory = Matrix(rows: 0, columns: 0)
        let rule = try ClippingRule.flat(l2ClipNorm: 100)
        for (path, sum) in [("a", [4, 6]), ("b", [0, 0])] as [(TreePath, [Float])] {
            let part = rows.restricted(to: TreeMask(layout: layout) { $0.path == path }, memory: &memory)
            #expect(try FactoredEqualityTests.privateSum(part, rule, scale: nil) == sum)
        }
    }

    @Test func lossesStay() throws {
        let layout = try TreeLayout([("a", [1]), ("b", [1])])
        var memory = Matrix(rows: 0, columns: 0)
        let rows = try DenseRows(Matrix([[1, 2], [3, 4]]), layout: layout, nonPrivateLosses: [5, 6])
        let mask = TreeMask(layout: layout) { $0.path == "b" }
        #expect(rows.restricted(to: mask, memory: &memory).nonPrivateLosses == [5, 6])
    }
}
