import LinearAlgebra
import PrivateTraining
import PyTrees

extension InMemoryDataset {
    /// The per-example gradients of a softmax regression at its start, all weights zero: one row for each example.
    ///
    /// Traps unless the targets are classes.
    func softmaxGradients() throws -> (gradients: Matrix, layout: TreeLayout) {
        guard case .classes(let labels, let classCount) = targets else {
            preconditionFailure("A softmax regression needs classes as targets.")
        }
        let layout = try TreeLayout([("bias", [classCount]), ("kernel", [classCount, featureCount])])
        var gradients = Matrix(rows: count, columns: layout.count)
        for (example, label) in labels.enumerated() {
            inputs.withRow(example) { input in
                gradients.withMutableRow(example) { row in
                    for output in 0..<classCount {
                        // At zero weights every class has the same probability.
                        let error = 1 / Float(classCount) - (output == label ? 1 : 0)
                        row[output] = error
                        for feature in 0..<featureCount {
                            row[classCount + output * featureCount + feature] = error * input[feature]
                        }
                    }
                }
            }
        }
        return (gradients, layout)
    }
}
