import Datasets
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

extension ClosureModel where Parameters: PyTree {
    /// A model whose gradients `gradient` writes, from `parameters` on, whatever the seed is.
    ///
    /// Without an `evaluation` it can be trained, and asking it for outputs, losses of outputs or predictions traps.
    ///
    /// - `gradient`: adds the gradient of one example's loss to a struct of zeros and returns the loss. Traps
    ///   if it gives the struct other leaves.
    public init(
        parameters: Parameters, featureCount: Int, outputCount: Int, evaluation: Evaluation? = nil,
        gradient:
            @escaping @Sendable (
                _ inputs: Span<Float>, _ target: Target, _ parameters: Parameters, _ gradient: inout Parameters
            ) -> Float
    ) {
        let layout = parameters.requiredLayout
        let zero = parameters.zeroed()
        self.layout = layout
        self.featureCount = featureCount
        self.outputCount = outputCount
        self.evaluation = evaluation
        start = { _ in parameters }
        writeRows = { examples, parameters, rows, losses in
            nonisolated(unsafe) let losses = losses
            rows.fillRows(zero: zero, layout: layout) { example, row in
                losses[example] = examples.inputs.withRow(example) { inputs in
                    gradient(inputs, examples.targets[example], parameters, &row)
                }
            }
        }
    }
}

extension ClosureModel where Parameters == ParameterVector {
    /// A model whose gradients `gradient` writes.
    ///
    /// Without an `evaluation` it can be trained, and asking it for outputs, losses of outputs or predictions traps.
    ///
    /// - `gradient`: writes the gradient of one example's loss into a row of zeros and returns the loss.
    public init(
        layout: TreeLayout, featureCount: Int, outputCount: Int,
        initialParameters: @escaping @Sendable (_ seed: UInt64) -> ParameterVector, evaluation: Evaluation? = nil,
        gradient:
            @escaping @Sendable (
                _ inputs: Span<Float>, _ target: Target, _ parameters: ParameterVector,
                _ gradient: inout MutableSpan<Float>
            ) -> Float
    ) {
        self.layout = layout
        self.featureCount = featureCount
        self.outputCount = outputCount
        self.start = initialParameters
        self.evaluation = evaluation
        writeRows = { examples, parameters, rows, losses in
            rows.forEachRow { example, row in
                losses[example] = examples.inputs.withRow(example) { inputs in
                    gradient(inputs, examples.targets[example], parameters, &row)
                }
            }
        }
    }
}

extension Matrix {
    /// Calls `body` with each row, zeroed before, on several threads at once.
    mutating func forEachRow(_ body: (Int, inout MutableSpan<Float>) -> Void) {
        let (rows, columns) = (rows, columns)
        withUnsafeMutableElements { elements in
            Threads.withTeam(of: rows) { member in
                for index in member.share(of: 0..<rows) {
                    let row = UnsafeMutableBufferPointer(rebasing: elements[index * columns..<(index + 1) * columns])
                    row.update(repeating: 0)
                    var span = row.mutableSpan
                    Threads.withoutTeams { body(index, &span) }
                }
            }
        }
    }
}
