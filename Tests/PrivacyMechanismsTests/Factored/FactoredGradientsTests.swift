import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

@Suite struct FactoredGradientsTests {
    private static let layout = try! TreeLayout([("bias", [3]), ("kernel", [2, 3]), ("table", [4, 3])])

    private static func zeros(_ rows: Int, _ columns: Int) -> Matrix { Matrix(rows: rows, columns: columns) }

    private static let table = FactoredGradients.Part.embedding(
        table: "table", indices: [0, -1, 3, 3], outputGradients: zeros(4, 3), positions: 2)

    private static let kernel = FactoredGradients.Part.dense(
        kernel: "kernel", bias: "bias", activations: zeros(2, 2), outputGradients: zeros(2, 3))

    private static func error(
        _ parts: [FactoredGradients.Part], losses: [Float]? = nil
    ) -> PrivacyMechanismError? {
        do throws(PrivacyMechanismError) {
            _ = try FactoredGradients(layout: layout, exampleCount: 2, parts: parts, nonPrivateLosses: losses)
            return nil
        } catch {
            return error
        }
    }

    @Test func partsThatFitAreTaken() throws {
        #expect(Self.error([Self.kernel, Self.table], losses: [1, 2]) == nil)
        #expect(Self.error([.rows(leaves: ["bias", "kernel"], Self.zeros(2, 9)), Self.table]) == nil)
        #expect(Self.error([.rows(leaves: [], Self.zeros(2, 0)), Self.kernel, Self.table]) == nil)
    }

    @Test func partsThatDoNotFitAreNamed() {
        let zeros = Self.zeros
        #expect(Self.error([Self.kernel]) == .leafWithoutGradient("table"))
        #expect(Self.error([Self.kernel, Self.table, Self.table]) == .leafTakenTwice("table"))
        // Uses of one leaf are of that leaf alone, and so is what is mapped.
        #expect(Self.error([Self.kernel, .joined(leaf: "table", [Self.table, Self.table])]) == nil)
        #expect(Self.error([Self.kernel, .joined(leaf: "table", [])]) == nil)
        #expect(Self.error([Self.table, .joined(leaf: "kernel", [Self.kernel])]) == .useOfAnotherLeaf("kernel"))
        #expect(Self.error([.joined(leaf: "kernel", [Self.table])]) == .useOfAnotherLeaf("kernel"))
        #expect(Self.error([Self.kernel, .joined(leaf: "table", []), Self.table]) == .leafTakenTwice("table"))
        #expect(Self.error([.mapped(Self.kernel) { _ in }]) == .mappedPartOfSeveralLeaves(["kernel", "bias"]))
        #expect(Self.error([Self.kernel, .mapped(Self.table) { _ in }]) == nil)
        #expect(Self.error([.rows(leaves: ["nowhere"], zeros(2, 1))]) == .unknownLeaf("nowhere"))
        #expect(
            Self.error([.embedding(table: "nowhere", indices: [], outputGradients: zeros(0, 3), positions: 1)])
                == .unknownLeaf("nowhere"))
        #expect(
            Self.error([.dense(kernel: "kernel", bias: nil, activations: zeros(2, 3), outputGradients: zeros(2, 3))])
                == .leafShapeMismatch(path: "kernel", shape: [2, 3], expected: [3, 3]))
        #expect(
            Self.error([.dense(kernel: "kernel", bias: "table", activations: zeros(2, 2), outputGradients: zeros(2, 3))]
            )
                == .leafShapeMismatch(path: "table", shape: [4, 3], expected: [3]))
        #expect(
            Self.error([.embedding(table: "bias", indices: [0, 0], outputGradients: zeros(2, 3), positions: 1)])
                == .leafShapeMismatch(path: "bias", shape: [3], expected: [3, 3]))
        #expect(
            Self.error([.dense(kernel: "kernel", bias: nil, activations: zeros(3, 2), outputGradients: zeros(2, 3))])
                == .factorRowCountMismatch(path: "kernel", rows: 3, expected: 2))
        #expect(
            Self.error([
                .sequence(
                    kernel: "kernel", bias: nil, activations: zeros(4, 2), outputGradients: zeros(2, 3), positions: 2)
            ]) == .factorRowCountMismatch(path: "kernel", rows: 2, expected: 4))
        for positions in [0, -1, Int.max] {
            #expect(
                Self.error([.embedding(table: "table", indices: [], outputGradients: zeros(0, 3), positions: positions)]
                )
                    == .invalidPositions(positions, path: "table"))
        }
        for index in [-2, 4] {
            #expect(
                Self.error([
                    .embedding(table: "table", indices: [0, index], outputGradients: zeros(2, 3), positions: 1)
                ])
                    == .indexOutsideTable(path: "table", index: index, rows: 4))
        }
        #expect(
            Self.error([.embedding(table: "table", indices: [0], outputGradients: zeros(2, 3), positions: 1)])
                == .factorRowCountMismatch(path: "table", rows: 1, expected: 2))
        #expect(Self.error([.rows(leaves: ["bias", "table"], zeros(2, 15))]) == .leavesNotConsecutive("table"))
        #expect(
            Self.error([.rows(leaves: ["bias", "kernel"], zeros(2, 8))])
                == .rowLengthMismatch(columns: 8, layoutCount: 9))
        #expect(Self.error([], losses: [1]) == .lossCountMismatch(losses: 1, exampleCount: 2))
    }

    @Test func descriptionsNameTheValueAndTheRemedy() {
        let errors: [(PrivacyMechanismError, [String])] = [
            (.unknownLeaf("a/b"), ["a/b"]), (.leafTakenTwice("a/b"), ["a/b", "exactly one"]),
            (.leafWithoutGradient("a/b"), ["a/b", "exactly one"]),
            (.leafShapeMismatch(path: "a", shape: [2, 3], expected: [4, 5]), ["'a'", "[2, 3]", "[4, 5]"]),
            (.factorRowCountMismatch(path: "a", rows: 7, expected: 8), ["'a'", "7", "8"]),
            (.invalidPositions(0, path: "a"), ["'a'", "0", "at least 1"]),
            (.indexOutsideTable(path: "a", index: 9, rows: 5), ["'a'", "9", "0 and 4", "-1"]),
            (.leavesNotConsecutive("a"), ["'a'", "follow"]),
        ]
        for (error, texts) in errors {
            for text in texts { #expect(error.description.contains(text)) }
        }
    }

    @Test func gradientsAreMultipliedOut() throws {
        let factors = try RandomFactors(seed: 4)
        for example in 0..<factors.gradients.exampleCount {
            var row = [Float](repeating: .nan, count: factors.layout.count)
            var span = row.mutableSpan
            factors.gradients.copyGradient(of: example, into: &span)
            // Three Float32 additions of products of at most 1, where there are positions.
            let tolerance: Double = 3 * 4 * 0x1p-24
            for (found, exact) in zip(row, factors.gradients.exactGradient(of: example)) {
                #expect(abs(Double(found) - exact) <= tolerance)
            }
        }
    }

    @Test func wrongShapesTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = try FactoredGradients(layout: TreeLayout([]), exampleCount: -1, parts: [])
        }
        await #expect(processExitsWith: .failure) {
            let gradients = try FactoredGradients(layout: TreeLayout([]), exampleCount: 1, parts: [])
            var norms = [0.0, 0.0]
            var span = norms.mutableSpan
            gradients.squaredNorms(of: 0..<1, under: nil, groups: ColumnGroups(ranges: [0..<0]), into: &span)
        }
        await #expect(processExitsWith: .failure) {
            // A group that ends within a leaf.
            let gradients = try FactoredGradients(
                layout: TreeLayout([("a", [2])]), exampleCount: 1,
                parts: [.rows(leaves: ["a"], Matrix(rows: 1, columns: 2))])
            var norms = [0.0, 0.0]
            var span = norms.mutableSpan
            gradients.squaredNorms(of: 0..<1, under: nil, groups: ColumnGroups(ranges: [0..<1, 1..<2]), into: &span)
        }
        // The control: with groups that fit, nothing traps.
        await #expect(processExitsWith: .success) {
            let gradients = try FactoredGradients(
                layout: TreeLayout([("a", [2])]), exampleCount: 1,
                parts: [.rows(leaves: ["a"], Matrix(rows: 1, columns: 2))])
            var norms = [0.0]
            var span = norms.mutableSpan
            gradients.squaredNorms(of: 0..<1, under: nil, groups: ColumnGroups(ranges: [0..<2]), into: &span)
        }
    }
}
