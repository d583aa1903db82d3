import LinearAlgebra
import PrivacyMechanisms
import PyTrees
import Requirements

/// A network of dense, convolution and pooling layers, with hand-written forward and backward passes over BLAS.
///
///     let network = try Network(.multilayerPerceptron(dims: [784, 1024, 10]))
///
/// A dense layer's leaves are `dense1/kernel` (inputs × outputs) and `dense1/bias`, a convolution's `conv1/kernel`
/// ((size · size · channels) × outputs, in the order of the image) and `conv1/bias`, each kind counted from 1. Outputs
/// are scores before the softmax or the logistic function, or numbers.
///
/// Per-example gradients come in factored form: the inputs of each layer and the gradients of its outputs, from which
/// norms and sums are computed without forming the gradients. There is no batch normalisation, which could not be
/// trained privately.
///
/// **Guarantee:** an example's factors, loss and outputs are a function of that example and the parameters, in every
/// bit: not of the other examples, their number or its place among them, nor of the number of threads.
public struct Network: Sendable {
    /// What the network is made of.
    public let architecture: NetworkArchitecture
    /// The leaves, layer after layer, kernel before bias.
    public let layout: TreeLayout
    /// The number of features of an example.
    public let featureCount: Int

    let stages: [Stage]

    /// Lays the network out.
    ///
    /// Throws a `ModelError` that names the layer and the number if parts do not fit together.
    public init(_ architecture: NetworkArchitecture) throws(ModelError) {
        var builder = try NetworkBuilder(architecture.input)
        featureCount = builder.featureCount
        for layer in architecture.layers { try builder.append(layer) }
        guard let last = builder.shapes.last else { throw .noLayers }
        if architecture.loss == .logistic && last.outputCount != 1 {
            throw .logisticNeedsOneOutput(outputs: last.outputCount)
        }
        do throws(PyTreeError) {
            layout = try TreeLayout(builder.leaves)
        } catch {
            fail(error.description)
        }
        let leaves = layout.leaves
        stages = builder.shapes.map { $0.stage(leaves) }
        self.architecture = architecture
    }

    /// The number of outputs: scores of classes, or numbers.
    public var outputCount: Int { stages[stages.count - 1].outputCount }
}

/// Memory that is reused from one microbatch to the next: for each layer its outputs, its output gradients, and what
/// else its backward pass needs.
public struct NetworkWorkspace: Sendable {
    var layers: [LayerMemory]
    var losses: [Float] = []
    /// What the sum of output gradients over examples is multiplied with, an element for each row.
    var ones: [Float] = []
}

/// What one layer keeps between the passes.
struct LayerMemory: Sendable {
    /// After the activation: examples × outputs.
    var outputs = Matrix(rows: 0, columns: 0)
    /// Derivatives of the loss by what goes into the activation: examples × outputs.
    var outputGradients = Matrix(rows: 0, columns: 0)
    /// Derivatives of the activation, where they are not had from the outputs.
    var derivatives = Matrix(rows: 0, columns: 0)
    /// What a convolution's kernel sees: (examples · positions) × patch.
    var patches = Matrix(rows: 0, columns: 0)
}
