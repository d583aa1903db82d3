import Datasets
import Differentiation
import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// A model made of the layers that an architecture names: what configuration files and command lines can ask for.
///
///     let network = try Network(.multilayerPerceptron(dims: [784, 1024, 10]))
///
/// Its leaves are those of the layers, each under the name of its kind, counted from 1: `dense1/kernel` (inputs ×
/// outputs) and `dense1/bias`, `conv1/kernel` ((size · size · channels) × outputs, in the order of the image) and
/// `conv1/bias`. Outputs are scores before the softmax or the logistic function, or numbers.
///
/// It is a ``FunctionModel`` whose function runs the layers one after the other. There is no batch normalisation, which
/// could not be trained privately.
///
/// **Guarantee:** an example's factors, loss and outputs are a function of that example and the parameters, in every
/// bit: not of the other examples, their number or its place among them, nor of the number of threads.
public struct Network: Sendable {
    /// What the network is made of.
    public let architecture: NetworkArchitecture
    /// The layers, as the model's function has them.
    public let stack: LayerStack

    private(set) var model: FunctionModel<ParameterVector>

    /// Builds the network.
    ///
    /// Throws a `ModelError` that names the layer and the number if parts do not fit together.
    public init(_ architecture: NetworkArchitecture) throws(ModelError) {
        let (stack, outputs) = try architecture.build(seed: 0)
        try architecture.checkLoss(of: outputs)
        let featureCount = try architecture.input.shape().count
        let program = Program(
            parameters: stack, featureCount: featureCount, targetCount: outputs.count
        ) { stack, example in
            let outputs = stack(architecture.input.signal(of: example))
            return architecture.loss.loss(of: outputs, example)
        }
        self.architecture = architecture
        self.stack = stack
        model = FunctionModel(program: program) { seed in
            guard let (stack, _) = try? architecture.build(seed: seed) else {
                fail("An architecture was built with one seed, and not with another.")
            }
            let isRegression = stack.layers.count == 1 && stack.layers[0].layer is Dense
            return isRegression ? ParameterVector(zeros: stack.requiredLayout) : stack.vector()
        }
    }
}

extension NetworkArchitecture.Input {
    /// What the first layer is given of an example.
    fileprivate func signal(of example: ExampleValues) -> Signal {
        switch self {
        case .features: .values(example.features)
        case .image(let height, let width, let channels):
            .values(example.image(height: height, width: width, channels: channels))
        case .sequence(let positions, _): .values(example.sequence(positions: positions))
        case .tokens: .tokens(example.tokens)
        }
    }
}

extension Network: TrainableModel {
    /// The leaves, layer after layer.
    public var layout: TreeLayout { model.layout }

    /// The number of features of an example.
    public var featureCount: Int { model.featureCount }

    /// The number of outputs: scores of classes, or numbers.
    public var outputCount: Int { model.outputCount }

    /// Values, their gradients, and what is kept for the way back, in Float32.
    public var gradientBytesPerExample: Int { model.gradientBytesPerExample }

    /// Random kernels, and biases of zeros; see ``InitialWeights``. A network of one dense layer, a regression, begins
    /// at zero.
    public func initialParameters(seed: UInt64) -> ParameterVector { model.initialParameters(seed: seed) }

    /// A network that leaves out what only the other leaves' gradients need. Traps unless the mask is for the network's
    /// layout.
    public func training(only mask: TreeMask) -> Network {
        var network = self
        network.model = model.training(only: mask)
        return network
    }

    /// An empty workspace.
    public func makeWorkspace() -> FunctionWorkspace { model.makeWorkspace() }

    /// The factored gradients. They lie in the workspace: hold them no longer than until the next call, which would
    /// have to allocate anew.
    public func gradients(
        of examples: Examples, at parameters: ParameterVector, workspace: inout FunctionWorkspace
    ) -> FactoredGradients {
        model.gradients(of: examples, at: parameters, workspace: &workspace)
    }

    /// The outputs; they lie in the workspace, as the gradients do.
    public func outputs(
        for inputs: Matrix, lengths: [Int]?, at parameters: ParameterVector, workspace: inout FunctionWorkspace
    ) -> Matrix {
        model.outputs(for: inputs, lengths: lengths, at: parameters, workspace: &workspace)
    }

    /// Outputs and losses; they lie in the workspace, as the gradients do.
    public func outputsAndLosses(
        of examples: Examples, at parameters: ParameterVector, workspace: inout FunctionWorkspace
    ) -> (outputs: Matrix, losses: [Float]) {
        model.outputsAndLosses(of: examples, at: parameters, workspace: &workspace)
    }

    /// Classes by the highest score (the first of several), or by the score's sign for the logistic loss; numbers as
    /// they are.
    public func predictions(from outputs: Matrix) -> Targets { model.predictions(from: outputs) }

    /// Throws `widthMismatch`, `lengthOutOfRange` or `tokenOutOfRange` unless the network can take the inputs.
    public func checkInputs(_ inputs: Matrix, lengths: [Int]?) throws(ModelError) {
        try model.checkInputs(inputs, lengths: lengths)
    }

    /// Throws what ``checkInputs(_:lengths:)`` does, and `targetKindMismatch` or `classOutOfRange`, unless the network
    /// can learn such examples.
    public func check(_ examples: Examples) throws(ModelError) { try model.check(examples) }
}
