import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// The rows that factored gradients of dense layers stand for, written out a microbatch at a time.
struct InstantiatedRows {
    private var matrix = Matrix(rows: 0, columns: 0)

    /// Calls `body` with the rows of each microbatch of up to `size` examples, in turn, in memory that is reused.
    mutating func forEachMicrobatch(
        of gradients: FactoredGradients, size: Int, _ body: (DenseRows) throws -> Void
    ) throws {
        for begin in stride(from: 0, to: gradients.exampleCount, by: size) {
            let examples = begin..<min(begin + size, gradients.exampleCount)
            if matrix.rows != examples.count || matrix.columns != gradients.layout.count {
                matrix = Matrix(rows: examples.count, columns: gradients.layout.count)
            }
            write(examples, of: gradients)
            try body(try DenseRows(matrix, layout: gradients.layout))
        }
    }

    private mutating func write(_ examples: Range<Int>, of gradients: FactoredGradients) {
        let (layout, columns) = (gradients.layout, matrix.columns)
        matrix.withUnsafeMutableElements { rows in
            Threads.withTeam(of: examples.count) { member in
                for part in gradients.parts {
                    guard case .dense(let kernel, let bias?, let activations, let outputGradients) = part,
                        let kernelBegin = layout[kernel]?.range.lowerBound,
                        let biasBegin = layout[bias]?.range.lowerBound
                    else { preconditionFailure("A perceptron has dense layers with biases only.") }
                    let width = outputGradients.columns
                    for index in member.share(of: 0..<examples.count) {
                        let row = rows.baseAddress! + index * columns
                        activations.withRow(examples.lowerBound + index) { activations in
                            outputGradients.withRow(examples.lowerBound + index) { outputGradients in
                                outputGradients.withUnsafeBufferPointer { outputGradients in
                                    for j in 0..<width { row[biasBegin + j] = outputGradients[j] }
                                    for i in 0..<activations.count {
                                        let (activation, target) = (activations[i], row + kernelBegin + i * width)
                                        for j in 0..<width { target[j] = activation * outputGradients[j] }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
