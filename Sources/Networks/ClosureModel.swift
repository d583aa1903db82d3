import Datasets
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// A model of your own: a closure that writes one example's gradient.
///
///     let model = ClosureModel(layout: layout, featureCount: 64, outputCount: 1, initialParameters: { _ in start }) {
///         inputs, target, parameters, gradient in
///         …                                       // gradient[j] = ∂loss/∂parameter j; it holds zeros before
///         return loss
///     }
///
/// The closure is called once for each example, on several threads at once, and its rows are privatized as dense
/// gradients: memory for a microbatch of examples × parameters numbers is held. It must depend on nothing but its
/// arguments.
///
/// **Guarantee:** an example's row holds what the closure wrote for that example alone, in every bit: rows are zeroed
/// before, and matrix products that the closure calls run on one thread, whatever the number of examples is.
public struct ClosureModel: TrainableModel {
    /// Writes the gradient of one example's loss and returns the loss.
    public typealias Gradient =
        @Sendable (
            _ inputs: Span<Float>, _ target: Target, _ parameters: ParameterVector,
            _ gradient: inout MutableSpan<Float>
        ) -> Float

    /// Writes the outputs for one example.
    public typealias Outputs =
        @Sendable (_ inputs: Span<Float>, _ parameters: ParameterVector, _ outputs: inout MutableSpan<Float>) -> Void

    /// How the model is judged: what it puts out, and the loss by which outputs are compared with targets.
    public struct Evaluation: Sendable {
        let loss: LossFunction
        let outputs: Outputs

        /// Judges by `loss` what the closure `outputs` writes for each example, zeros before.
        public init(loss: LossFunction, outputs: @escaping Outputs) {
            self.loss = loss
            self.outputs = outputs
        }
    }

    /// The parameters' layout.
    public let layout: TreeLayout
    /// The number of features of an example.
    public let featureCount: Int
    /// The number of outputs.
    public let outputCount: Int

    private let start: @Sendable (UInt64) -> ParameterVector
    private let evaluation: Evaluation?
    private let gradient: Gradient

    /// A model whose gradients `gradient` writes.
    ///
    /// Without an `evaluation` it can be trained, and asking it for outputs, losses of outputs or predictions traps.
    public init(
        layout: TreeLayout, featureCount: Int, outputCount: Int,
        initialParameters: @escaping @Sendable (_ seed: UInt64) -> ParameterVector, evaluation: Evaluation? = nil,
        gradient: @escaping Gradient
    ) {
        self.layout = layout
        self.featureCount = featureCount
        self.outputCount = outputCount
        self.start = initialParameters
        self.evaluation = evaluation
        self.gradient = gradient
    }

    /// What the closure makes of the seed. Traps if it has another layout.
    public func initialParameters(seed: UInt64) -> ParameterVector {
        let parameters = start(seed)
        preconditionFits(parameters)
        return parameters
    }

    private func preconditionFits(_ parameters: ParameterVector) {
        require(
            parameters.layout == layout,
            "Parameters of layout\n\(parameters.layout)\ndo not fit a model of layout\n\(layout)")
    }

    private func preconditionFits(_ inputs: Matrix) {
        require(
            inputs.columns == featureCount,
            "Examples of \(inputs.columns) features do not fit a model of \(featureCount).")
    }
}

/// Memory that one microbatch hands on to the next: the rows and their losses.
public struct ClosureWorkspace: Sendable {
    var rows = Matrix(rows: 0, columns: 0)
    var losses: [Float] = []
    var outputs = Matrix(rows: 0, columns: 0)
}

extension ClosureModel {
    /// An empty workspace.
    public func makeWorkspace() -> ClosureWorkspace { ClosureWorkspace() }

    /// A row for each example, written on several threads at once.
    public func gradients(
        of examples: Examples, at parameters: ParameterVector, workspace: inout ClosureWorkspace
    ) -> DenseRows {
        preconditionFits(parameters)
        preconditionFits(examples.inputs)
        let count = examples.count
        workspace.rows.reshape(rows: count, columns: layout.count)
        if workspace.losses.count != count { workspace.losses = [Float](repeating: 0, count: count) }
        workspace.losses.withUnsafeMutableBufferPointer { losses in
            workspace.rows.forEachRow { example, row in
                losses[example] = examples.inputs.withRow(example) { inputs in
                    gradient(inputs, examples.targets[example], parameters, &row)
                }
            }
        }
        do throws(PrivacyMechanismError) {
            return try DenseRows(workspace.rows, layout: layout, nonPrivateLosses: workspace.losses)
        } catch {
            fail(error.description)
        }
    }

    private var judge: Evaluation {
        guard let evaluation else {
            fail("A closure model without an evaluation has no outputs: give it one to evaluate it.")
        }
        return evaluation
    }

    /// What the evaluation's closure writes. Traps if there is none.
    public func outputs(
        for inputs: Matrix, at parameters: ParameterVector, workspace: inout ClosureWorkspace
    ) -> Matrix {
        preconditionFits(parameters)
        preconditionFits(inputs)
        let judge = judge
        workspace.outputs.reshape(rows: inputs.rows, columns: outputCount)
        workspace.outputs.forEachRow { example, row in
            inputs.withRow(example) { judge.outputs($0, parameters, &row) }
        }
        return workspace.outputs
    }

    /// The losses by the evaluation's loss function. Traps if there is none.
    public func losses(of outputs: Matrix, targets: Targets) -> [Float] {
        var losses: [Float] = []
        judge.loss.evaluate(outputs, targets: targets, errors: nil, into: &losses)
        return losses
    }

    /// Classes or numbers, as the evaluation's loss function takes outputs. Traps if there is none.
    public func predictions(from outputs: Matrix) -> Targets { judge.loss.predictions(from: outputs) }

    /// Throws unless features, and the targets as the evaluation sees them, fit.
    public func check(featureCount: Int, targets: Targets) throws(ModelError) {
        if featureCount != self.featureCount {
            throw .widthMismatch(.inputs, model: self.featureCount, data: featureCount)
        }
        try evaluation?.loss.check(targets, outputs: outputCount)
    }
}

extension Matrix {
    /// Calls `body` with each row, zeroed before, on several threads at once.
    fileprivate mutating func forEachRow(_ body: (Int, inout MutableSpan<Float>) -> Void) {
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
