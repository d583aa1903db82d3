import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Testing
import _TestSupport

@testable import PrivacyAuditing

/// Canaries among factored gradients are the rows that they are said to be, and nobody else's row changes in any bit.
@Suite struct FactoredCanariesTests {
    private static let layout = try! TreeLayout([
        ("bias", [3]), ("free", [4]), ("kernel", [5, 3]), ("mapped", [2, 2]), ("sequence", [2, 3]), ("table", [6, 2]),
        ("tied", [4, 2]),
    ])
    private static let count = 4

    private func gradients() throws -> FactoredGradients {
        var random = SeededGenerator(seed: 4)
        let count = Self.count
        return try FactoredGradients(
            layout: Self.layout, exampleCount: count,
            parts: [
                .dense(
                    kernel: "kernel", bias: "bias", activations: random.matrix(count, 5),
                    outputGradients: random.matrix(count, 3)),
                .rows(leaves: ["free"], random.matrix(count, 4)),
                .mapped(.rows(leaves: ["mapped"], random.matrix(count, 4))) { row in
                    for index in row.indices { row[index] *= 3 }
                },
                .sequence(
                    kernel: "sequence", bias: nil, activations: random.matrix(count * 2, 2),
                    outputGradients: random.matrix(count * 2, 3), positions: 2),
                .embedding(
                    table: "table", indices: [0, 1, 2, 3, 4, 5, 5, -1], outputGradients: random.matrix(count * 2, 2),
                    positions: 2),
                .joined(
                    leaf: "tied",
                    [
                        .embedding(
                            table: "tied", indices: [0, 1, 2, 3], outputGradients: random.matrix(count, 2),
                            positions: 1),
                        .dense(
                            kernel: "tied", bias: nil, activations: random.matrix(count, 4),
                            outputGradients: random.matrix(count, 2)),
                        .mapped(.rows(leaves: ["tied"], random.matrix(count, 8))) { row in
                            for index in row.indices { row[index] *= -2 }
                        },
                    ]),
            ])
    }

    private func rows(_ gradients: FactoredGradients) -> [[Float]] {
        (0..<gradients.exampleCount).map { example in
            var row = [Float](repeating: 0, count: gradients.layout.count)
            var span = row.mutableSpan
            gradients.copyGradient(of: example, into: &span)
            return row
        }
    }

    @Test(arguments: layout.leaves.map(\.range))
    func canariesAreTheirRows(columns: Range<Int>) throws {
        let before = rows(try gradients())
        for column in columns {
            let after = rows(
                try gradients().replacing([
                    CanaryRow(example: 1, column: column, value: 8), CanaryRow(example: 3, column: nil, value: 0),
                ]))
            #expect(after[0] == before[0] && after[2] == before[2])
            #expect(after[3].allSatisfy { $0 == 0 })
            for (place, value) in after[1].enumerated() {
                // A kernel's bias has 2⁻¹² of it.
                let isInKernel = Self.layout["kernel"]!.range.contains(column)
                let leak: Float = isInKernel && place == (column - 7) % 3 ? 0x1p-9 : 0
                #expect(value == (place == column ? 8 : leak), "column \(column), place \(place)")
            }
        }
    }
}
