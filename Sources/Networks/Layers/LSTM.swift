import Differentiation
import PyTrees

/// Long short-term memory over the positions of a sequence, by the formulas of
/// ``/Differentiation/Value/lstm(inputKernel:recurrentKernel:inputBias:recurrentBias:returning:)``.
///
/// The leaves are those of PyTorch's `nn.LSTM` of one layer, with the kernels transposed: `inputKernel` is
/// `weight_ih_l0`, `recurrentKernel` is `weight_hh_l0`, and the biases are `bias_ih_l0` and `bias_hh_l0`. Gates lie in
/// PyTorch's order i, f, g, o.
public struct LSTM: Layer, StackLayer {
    /// W: [inputs, 4 · width].
    public var inputKernel: Tensor
    /// U: [width, 4 · width].
    public var recurrentKernel: Tensor
    /// b: [4 · width].
    public var inputBias: Tensor
    /// c: [4 · width].
    public var recurrentBias: Tensor
    /// Which states are the output.
    public let returned: ReturnedStates

    /// A layer with random kernels, see ``InitialWeights/recurrentKernels(inputs:width:gateCount:)``, and biases of
    /// zeros, but of ones for the forget gate's inputs, so that memory lasts from the beginning: Jozefowicz et al.,
    /// ICML 2015, section 2.2.
    public init(inputs: Int, width: Int, returning states: ReturnedStates = .all, weights: inout InitialWeights) {
        (inputKernel, recurrentKernel) = weights.recurrentKernels(inputs: inputs, width: width, gateCount: 4)
        inputBias = Tensor((0..<4 * width).map { $0 / width == 1 ? 1 : 0 })
        recurrentBias = Tensor(zeros: [4 * width])
        returned = states
    }

    /// Shape [positions, inputs] to [positions, width], or to [width].
    public func callAsFunction(_ input: Value) -> Value {
        input.lstm(
            inputKernel: inputKernel, recurrentKernel: recurrentKernel, inputBias: inputBias,
            recurrentBias: recurrentBias, returning: returned)
    }

    /// `inputKernel`, `recurrentKernel`, `inputBias` and `recurrentBias`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("inputKernel", &inputKernel)
        try visitor.visit("recurrentKernel", &recurrentKernel)
        try visitor.visit("inputBias", &inputBias)
        try visitor.visit("recurrentBias", &recurrentBias)
    }
}

/// Long short-term memory in an architecture: `{"kind": "lstm", "width": 64, "returns": "last"}`.
struct LSTMBlueprint: LayerBlueprint {
    static let kind = "lstm"
    static let name = "lstm"
    static let example = LSTMBlueprint(width: 64, returns: .last)

    var width: Int
    var returns: ReturnedStates

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let inputs = try shape.recur(Self.kind, width: width, gateCount: 4, returning: returns, at: layer)
        return LSTM(inputs: inputs, width: width, returning: returns, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// Long short-term memory over a sequence, of which all states or the last are passed on.
    public static func lstm(width: Int, returning states: ReturnedStates) -> Self {
        Self(LSTMBlueprint(width: width, returns: states))
    }
}
