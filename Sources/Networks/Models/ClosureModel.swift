import Datasets
import Differentiation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// A model of your own: a closure that writes one example's gradient into a struct like the parameters.
///
///     struct Linear: PyTree { var weights: Tensor; var bias: Float … }
///
///     let model = ClosureModel(parameters: Linear(…), featureCount: 64, outputCount: 1) {
///         inputs, target, parameters, gradient in
///         …                                       // gradient.bias = ∂loss/∂bias; all leaves hold zeros before
///         return loss
///     }
///
/// With a layout in the place of a struct, parameters are a flat vector and the gradient is a row of numbers.
///
/// The closure is called once for each example, on several threads at once, and its rows are privatized as dense
/// gradients: memory for a microbatch of examples × parameters numbers is held. It must depend on nothing but its
/// arguments.
///
/// **Guarantee:** an example's row holds what the closure wrote for that example alone, in every bit: it gets zeros to
/// write to (a struct of its own, with all the values that it holds beside its leaves; what it refers to is the same
/// for all, and not to be written to), and matrix products that it calls run on one thread, whatever the number of
/// examples is.
public struct ClosureModel<Parameters: ParameterStructure & Sendable>: TrainableModel {
    /// Writes the outputs for one example.
    public typealias Outputs =
        @Sendable (_ inputs: Span<Float>, _ parameters: Parameters, _ outputs: inout MutableSpan<Float>) -> Void

    /// How the model is judged: what it puts out, and the loss by which outputs are compared with targets.
    public struct Evaluation: Sendable {
        let loss: LossFunction
        let outputs: Outputs

        /// Judges by `loss` what the closure `outputs` writes for each example, zeros before. Traps for the next-token
        /// loss, which compares outputs with tokens, and not with targets.
        public init(loss: LossFunction, outputs: @escaping Outputs) {
            require(
                loss != .nextToken,
                "The next-token loss compares outputs with tokens, and an evaluation has none: write a FunctionModel.")
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

    let start: @Sendable (UInt64) -> Parameters
    let evaluation: Evaluation?
    let writeRows: @Sendable (Examples, Parameters, inout Matrix, UnsafeMutableBufferPointer<Float>) -> Void

    /// What the closure or the struct gives. Traps if it has another layout.
    public func initialParameters(seed: UInt64) -> Parameters {
        let parameters = start(seed)
        preconditionFits(parameters)
        return parameters
    }

    private func preconditionFits(_ parameters: Parameters) {
        do throws(PyTreeError) {
            let found = try parameters.treeLayout()
            require(found == layout, "Parameters of layout\n\(found)\ndo not fit a model of layout\n\(layout)")
        } catch {
            fail(error.description)
        }
    }

    private func preconditionFits(_ inputs: Matrix) {
        require(
            inputs.columns == featureCount,
            "Examples of \(inputs.columns) features do not fit a model of \(featureCount).")
    }
}

/// Memory that is reused from one microbatch to the next: the rows and their losses.
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
        of examples: Examples, at parameters: Parameters, workspace: inout ClosureWorkspace
    ) -> DenseRows {
        preconditionFits(parameters)
        preconditionFits(examples.inputs)
        let count = examples.count
        workspace.rows.reshape(rows: count, columns: layout.count)
        if workspace.losses.count != count { workspace.losses = [Float](repeating: 0, count: count) }
        workspace.losses.withUnsafeMutableBufferPointer { writeRows(examples, parameters, &workspace.rows, $0) }
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

    /// What the evaluation's closure writes; it is not told of lengths. Traps if there is no evaluation.
    public func outputs(
        for inputs: Matrix, lengths: [Int]?, at parameters: Parameters, workspace: inout ClosureWorkspace
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

    /// Outputs, and their losses by the evaluation's loss function. Traps if there is none.
    public func outputsAndLosses(
        of examples: Examples, at parameters: Parameters, workspace: inout ClosureWorkspace
    ) -> (outputs: Matrix, losses: [Float]) {
        let outputs = outputs(
            for: examples.inputs, lengths: examples.lengths, at: parameters, workspace: &workspace)
        return (outputs, judge.loss.losses(of: outputs, targets: examples.targets))
    }

    /// Classes or numbers, as the evaluation's loss function takes outputs. Traps if there is none.
    public func predictions(from outputs: Matrix) -> Targets {
        judge.loss.predictions(from: outputs, shape: [outputCount])
    }

    /// Throws unless features, and the targets as the evaluation sees them, fit.
    public func check(_ examples: Examples) throws(ModelError) {
        try checkInputs(examples.inputs, lengths: examples.lengths)
        try evaluation?.loss.check(examples.targets, outputShape: [outputCount])
    }
}
