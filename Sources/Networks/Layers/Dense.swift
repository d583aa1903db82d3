import Differentiation
import PyTrees

/// y = f(xK + b), at every position.
public struct Dense: Layer, StackLayer {
    /// K: [inputs, outputs].
    public var kernel: Tensor
    /// b: [outputs]; nil for none.
    public var bias: Tensor?
    /// f.
    public let activation: Activation

    /// A layer with random kernel and a bias of zeros.
    public init(
        inputs: Int, outputs: Int, activation: Activation = .identity, hasBias: Bool = true,
        weights: inout InitialWeights
    ) {
        kernel = weights.kernel(inputs: inputs, outputs: outputs, before: activation)
        bias = hasBias ? Tensor(zeros: [outputs]) : nil
        self.activation = activation
    }

    /// A layer with the given kernel and bias.
    public init(kernel: Tensor, bias: Tensor?, activation: Activation = .identity) {
        (self.kernel, self.bias, self.activation) = (kernel, bias, activation)
    }

    /// Shape […, inputs] to […, outputs].
    public func callAsFunction(_ input: Value) -> Value {
        input.dense(kernel: kernel, bias: bias, activation: activation)
    }

    /// Takes an image as one vector.
    public func apply(to signal: Signal, in stack: LayerStack) -> Signal { .values(self(signal.values.flattenedImage)) }

    /// `kernel` and `bias`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("kernel", &kernel)
        if bias != nil { try visitor.visit("bias", &bias) }
    }
}

/// A dense layer in an architecture: `{"kind": "dense", "outputs": 10, "activation": "identity"}`.
///
/// On an image it takes all pixels as one vector, on a sequence each position by itself.
struct DenseBlueprint: LayerBlueprint {
    static let kind = "dense"
    static let name = "dense"
    static let example = DenseBlueprint(outputs: 10, activation: .identity)

    var outputs: Int
    var activation: Activation

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        try dense(on: &shape, as: Self.kind, at: layer, weights: &weights)
    }

    /// The layer, for one that is made from it and has another `kind`.
    func dense(
        on shape: inout LayerShape, as kind: String, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> Dense {
        try activation.check()
        let inputs = shape.isImage ? shape.count : try shape.features(for: kind, at: layer)
        try checkDimensions([(outputs, "number of outputs"), (inputs, "number of inputs")], at: layer)
        shape = LayerShape(shape.isImage ? [outputs] : shape.dimensions.dropLast() + [outputs])
        return Dense(inputs: inputs, outputs: outputs, activation: activation, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// y = f(xK + b), with a kernel K of inputs × outputs.
    public static func dense(outputs: Int, activation: Activation) -> Self {
        Self(DenseBlueprint(outputs: outputs, activation: activation))
    }
}
