import Datasets
import Differentiation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// A model written as a Swift function: the loss of one example, as a function of a tree of parameters.
///
///     struct Classifier: PyTree { var embedding: Embedding; var layers: [Block]; var head: Dense … }
///
///     let model = FunctionModel(parameters: classifier, featureCount: 64) { model, example in
///         var h = model.embedding(example.tokens)
///         for block in model.layers { h = h + block(h) }
///         return softmaxCrossEntropy(model.head(h.mean(over: .positions)), example.label)
///     }
///
/// The function reads as if there were one example, and is called once, when the model is made. What it computes is
/// recorded, and runs on blocks of examples as matrix products. Per-example gradients come in factored form: no
/// example's gradient is formed to be clipped.
///
/// **Guarantee:** an example's factors, loss and outputs are a function of that example and the parameters, in every
/// bit: not of the other examples, their number or its place among them, nor of the number of threads.
///
/// - A ``/Differentiation/Value`` has no axis of examples, so that the function cannot mix them.
/// - Operations from outside of this package have to keep what ``/Differentiation/Operation`` asks of them.
public struct FunctionModel<Parameters: ParameterStructure & Sendable>: Sendable {
    /// The operations, recorded.
    public let program: Program

    let start: @Sendable (UInt64) -> Parameters
}

extension FunctionModel where Parameters: PyTree {
    /// A model whose training begins at `parameters`.
    ///
    /// Traps if the function returns a loss that is not made of its example, if operations do not fit together, and if
    /// a leaf of the parameters is not a ``/PyTrees/Tensor``.
    ///
    /// - Parameters:
    ///   - parameters: the initial parameters, which must be public, whatever the seed is.
    ///   - featureCount: the number of features, or the number of tokens of the longest example.
    ///   - targetCount: the number of numbers to be predicted, for data whose targets are numbers.
    ///   - function: the loss of one example.
    public init(
        parameters: Parameters, featureCount: Int, targetCount: Int = 1,
        _ function: (Parameters, ExampleValues) -> Loss
    ) {
        program = Program(
            parameters: parameters, featureCount: featureCount, targetCount: targetCount, function)
        start = { _ in parameters }
    }
}

/// Memory that is reused from one microbatch to the next.
public struct FunctionWorkspace: Sendable {
    var memory = ProgramMemory<Float>()
}

extension FunctionModel: TrainableModel {
    /// The parameters' layout.
    public var layout: TreeLayout { program.layout }

    /// The number of features of an example.
    public var featureCount: Int { program.featureCount }

    /// The number of outputs.
    public var outputCount: Int { program.outputCount }

    /// Values, their gradients, and what is kept for the way back, in Float32.
    public var gradientBytesPerExample: Int { 4 * program.numbersPerExample }

    /// The leaves that the function does not use.
    public var unusedLeaves: [TreePath] { program.unusedLeaves }

    /// What the model was made with.
    public func initialParameters(seed: UInt64) -> Parameters { start(seed) }

    /// A model whose program leaves out what only the other leaves' gradients need. Traps unless the mask is for the
    /// model's layout.
    public func training(only mask: TreeMask) -> FunctionModel {
        FunctionModel(program: program.training(only: mask), start: start)
    }

    /// An empty workspace.
    public func makeWorkspace() -> FunctionWorkspace { FunctionWorkspace() }

    /// The factored gradients. They lie in the workspace: hold them no longer than until the next call, which would
    /// have to allocate anew.
    public func gradients(
        of examples: Examples, at parameters: Parameters, workspace: inout FunctionWorkspace
    ) -> FactoredGradients {
        backpropagate(examples, at: parameters, workspace: &workspace) { uses, losses in
            program.factoredGradients(uses, exampleCount: examples.count, losses: losses)
        }
    }

    /// Runs forward and back, and calls `body` with all uses of each leaf and each example's loss.
    func backpropagate<Result>(
        _ examples: Examples, at parameters: Parameters, workspace: inout FunctionWorkspace,
        _ body: (_ uses: [[ParameterGradient<Float>]], _ losses: [Float]) -> Result
    ) -> Result {
        let inputs = examples.programInputs(keys: program.isRandom ? examples.keys : [])
        return withValues(of: parameters) { parameters in
            program.forward(inputs, at: parameters, extent: .losses, memory: &workspace.memory)
            let losses = program.losses(in: workspace.memory, exampleCount: examples.count)
            return body(program.backward(inputs, at: parameters, memory: &workspace.memory), losses)
        }
    }

    /// The outputs; they lie in the workspace, as the gradients do.
    public func outputs(
        for inputs: Matrix, lengths: [Int]?, at parameters: Parameters, workspace: inout FunctionWorkspace
    ) -> Matrix {
        withValues(of: parameters) { parameters in
            program.forward(
                ProgramInputs(features: inputs, lengths: lengths), at: parameters, extent: .outputs,
                memory: &workspace.memory)
            return program.outputs(in: workspace.memory)
        }
    }

    /// Outputs and losses; they lie in the workspace, as the gradients do.
    public func outputsAndLosses(
        of examples: Examples, at parameters: Parameters, workspace: inout FunctionWorkspace
    ) -> (outputs: Matrix, losses: [Float]) {
        withValues(of: parameters) { parameters in
            program.forward(
                examples.programInputs(keys: []), at: parameters, extent: .losses, memory: &workspace.memory)
            return (
                program.outputs(in: workspace.memory),
                program.losses(in: workspace.memory, exampleCount: examples.count)
            )
        }
    }

    /// Classes by the highest score (the first of several), or by the score's sign for the logistic loss; numbers as
    /// they are.
    public func predictions(from outputs: Matrix) -> Targets {
        program.function.predictions(from: outputs, shape: program.outputShape)
    }

    /// Throws `widthMismatch`, `lengthOutOfRange` or `tokenOutOfRange` unless the model's function can take the inputs.
    ///
    /// Padding may hold whatever it does: ids that are negative, and those beyond an example's length.
    public func checkInputs(_ inputs: Matrix, lengths: [Int]?) throws(ModelError) {
        if inputs.columns != featureCount {
            throw .widthMismatch(.inputs, model: featureCount, data: inputs.columns)
        }
        if let positions = program.positionCount, let lengths {
            for (example, length) in lengths.enumerated() where length > positions {
                throw .lengthOutOfRange(length, positions: positions, example: example)
            }
        }
        guard let vocabulary = program.vocabulary else { return }
        for example in 0..<inputs.rows {
            let wrong = inputs.withRow(example) { row in
                row.indices.prefix(lengths?[example] ?? row.count)
                    .first { !(row[$0] < Float(vocabulary)) || row[$0] >= 0 && row[$0] != row[$0].rounded() }
                    .map { row[$0] }
            }
            if let wrong { throw .tokenOutOfRange(wrong, vocabulary: vocabulary, example: example) }
        }
    }

    /// Throws what ``checkInputs(_:lengths:)`` does, and `targetKindMismatch` or `classOutOfRange`, unless the model
    /// can learn such examples.
    public func check(_ examples: Examples) throws(ModelError) {
        try checkInputs(examples.inputs, lengths: examples.lengths)
        try program.function.check(examples.targets, outputShape: program.outputShape)
    }

    private func withValues<Result>(of parameters: Parameters, _ body: (UnsafePointer<Float>) -> Result) -> Result {
        do throws(PyTreeError) {
            let vector = try parameters.flattened()
            require(
                vector.layout == layout,
                "Parameters of layout\n\(vector.layout)\ndo not fit a model of layout\n\(layout)")
            return vector.withUnsafeValues { values in
                // A model without parameters has nowhere to point to.
                withUnsafeTemporaryAllocation(of: Float.self, capacity: 1) { nothing in
                    body(values.baseAddress ?? UnsafePointer(nothing.baseAddress!))
                }
            }
        } catch {
            fail(error.description)
        }
    }
}

extension Examples {
    /// The examples as a program takes them.
    fileprivate func programInputs(keys: [UInt64]) -> ProgramInputs<Float> {
        switch targets {
        case .classes(let classes, _):
            ProgramInputs(features: inputs, classes: classes, lengths: lengths, keys: keys)
        case .values(let values):
            ProgramInputs(features: inputs, targets: values, lengths: lengths, keys: keys)
        }
    }
}
