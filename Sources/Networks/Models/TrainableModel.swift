import Datasets
import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// A model that can say what each example's gradient is: what a trainer needs to know of it.
public protocol TrainableModel<Parameters>: Sendable {
    /// What the parameters are: a struct of your own that is a ``/PyTrees/PyTree``, or a flat vector.
    associatedtype Parameters: ParameterStructure & Sendable
    /// How the gradients of a microbatch answer the pipeline's two questions: factored, dense, or both.
    associatedtype Gradients: PerExampleGradients
    /// Memory that is reused from one microbatch to the next, so that training allocates none after the first step.
    associatedtype Workspace

    /// The parameters' layout.
    var layout: TreeLayout { get }

    /// The number of features of an example.
    var featureCount: Int { get }

    /// The number of outputs: scores of classes, or predicted numbers.
    var outputCount: Int { get }

    /// The memory that the gradients of one example take up, in bytes: what microbatches are chosen by. It depends on
    /// the model alone. 4 for each parameter unless a conforming type says otherwise, as of dense rows.
    var gradientBytesPerExample: Int { get }

    /// What went into the model that no guarantee covers, in whole sentences: the privacy report repeats it. Empty
    /// unless a conforming type says otherwise; one that wraps another model must pass it on.
    var notCovered: [String] { get }

    /// What the model computes with beside its parameters, and training leaves as it is, such as frozen leaves. A run
    /// is gone on with only where it is the same in every bit. Empty unless a conforming type says otherwise; one that
    /// wraps another model must pass it on.
    var fixedParameters: [ParameterVector] { get }

    /// Parameters that the model does not compute with: their gradients are zero, whatever the examples are. Empty
    /// unless a conforming type says otherwise; one that wraps another model must pass it on.
    var unusedLeaves: [TreePath] { get }

    /// The parameters before the first step. Drawn from a public generator: they must not depend on the data.
    func initialParameters(seed: UInt64) -> Parameters

    /// The same model for somebody who asks for the gradients of the selected leaves alone: the others' gradients may
    /// be anything, and need not be computed. The model itself unless a conforming type says otherwise.
    ///
    /// **Guarantee:** the gradients of the selected leaves, outputs and losses are the same in every bit.
    func training(only mask: TreeMask) -> Self

    /// An empty workspace.
    func makeWorkspace() -> Workspace

    /// The loss and its gradient for each example, at `parameters`.
    ///
    /// The gradients may lie in the workspace: they are valid until it is used again. Traps unless inputs, targets
    /// and parameters fit the model.
    func gradients(
        of examples: Examples, at parameters: Parameters, workspace: inout Workspace
    ) -> Gradients

    /// The outputs for each row of inputs, an examples × outputs matrix: scores before the softmax, or numbers.
    ///
    /// - `lengths`: how many positions of each example's sequence there are; nil for all.
    func outputs(
        for inputs: Matrix, lengths: [Int]?, at parameters: Parameters, workspace: inout Workspace
    ) -> Matrix

    /// The outputs, and the loss of each example.
    func outputsAndLosses(
        of examples: Examples, at parameters: Parameters, workspace: inout Workspace
    ) -> (outputs: Matrix, losses: [Float])

    /// What the outputs say about each example: a class, or numbers. In the terms of the targets, to compare with them.
    func predictions(from outputs: Matrix) -> Targets

    /// Throws unless the model takes such inputs: for data from outside. The number of features has to fit, unless a
    /// conforming type says more.
    ///
    /// - `lengths`: how many positions of each example's sequence there are; nil for all.
    func checkInputs(_ inputs: Matrix, lengths: [Int]?) throws(ModelError)

    /// Throws unless the model can learn the examples: for data from outside.
    func check(_ examples: Examples) throws(ModelError)
}

extension TrainableModel {
    /// A row of 4 bytes for each parameter.
    public var gradientBytesPerExample: Int { 4 * layout.count }

    /// Nothing.
    public var notCovered: [String] { [] }

    /// Nothing.
    public var fixedParameters: [ParameterVector] { [] }

    /// None.
    public var unusedLeaves: [TreePath] { [] }

    /// The model itself.
    public func training(only mask: TreeMask) -> Self { self }

    /// Throws `widthMismatch` unless there are as many features as the model has.
    public func checkInputs(_ inputs: Matrix, lengths: [Int]?) throws(ModelError) {
        if inputs.columns != featureCount {
            throw .widthMismatch(.inputs, model: featureCount, data: inputs.columns)
        }
    }

    /// The outputs for each row of inputs, all of whose positions are there.
    public func outputs(for inputs: Matrix, at parameters: Parameters, workspace: inout Workspace) -> Matrix {
        outputs(for: inputs, lengths: nil, at: parameters, workspace: &workspace)
    }
}
