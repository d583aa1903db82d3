import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import _TestSupport

@testable import PrivacyAuditing

/// Gradients of ordinary examples: the same for an example in every step, of normal numbers.
enum FixedGradients {
    static func rows(of examples: [Int], _ layout: TreeLayout, size: Float = 1) -> DenseRows {
        DenseRows(canaries: matrices(of: examples, columns: [layout.count], size: size)[0], layout: layout)
    }

    /// Those of one layer of 32 inputs and 32 outputs.
    static func factors(of examples: [Int], _ layout: TreeLayout) throws -> FactoredGradients {
        let matrices = matrices(of: examples, columns: [32, 32], size: 1)
        return try FactoredGradients(
            layout: layout, exampleCount: examples.count,
            parts: [
                .dense(kernel: "kernel", bias: "bias", activations: matrices[0], outputGradients: matrices[1])
            ])
    }

    private static func matrices(of examples: [Int], columns: [Int], size: Float) -> [Matrix] {
        var matrices = columns.map { Matrix(rows: examples.count, columns: $0) }
        for (row, example) in examples.enumerated() {
            var generator = SeededGenerator(seed: UInt64(bitPattern: Int64(example)))
            for index in matrices.indices {
                matrices[index].withMutableRow(row) { row in
                    for column in row.indices { row[column] = size * Float(generator.normal()) }
                }
            }
        }
        return matrices
    }
}
