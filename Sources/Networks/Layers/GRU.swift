import Differentiation
import PyTrees

/// Gated recurrent units over the positions of a sequence, by the formulas of
/// ``/Differentiation/Value/gru(inputKernel:recurrentKernel:inputBias:recurrentBias:returning:)``.
///
/// The leaves are those of PyTorch's `nn.GRU` of one layer, with the kernels transposed: `inputKernel` is
/// `weight_ih_l0`, `recurrentKernel` is `weight_hh_l0`, and the biases are `bias_ih_l0` and `bias_hh_l0`. Gates lie in
/// PyTorch's order r, z, n.
public struct GRU: Layer, StackLayer {
    /// W: [inputs, 3 · width].
    public var inputKernel: Tensor
    /// U: [width, 3 · width].
    public var recurrentKernel: Tensor
    /// b: [3 · width].
    public var inputBias: Tensor
    /// c: [3 · width].
    public var recurrentBias: Tensor
    /// Which states are the output.
    public let returned: ReturnedStates

    /// A layer with random kernels, see ``InitialWeights/recurrentKernels(inputs:width:gateCount:)``, and biases of
    /// zeros.
    public init(inputs: Int, width: Int, returning states: ReturnedStates = .all, weights: inout InitialWeights) {
        (inputKernel, recurrentKernel) = weights.recurrentKernels(inputs: inputs, width: width, gateCount: 3)
        inputBias = Tensor(zeros: [3 * width])
        recurrentBias = Tensor(zeros: [3 * width])
        returned = states
    }

    /// Shape [positions, inputs] to [positions, width], or to [width].
    public func callAsFunction(_ input: Value) -> Value {
        input.gru(
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

/// Gated recurrent units in an architecture: `{"kind": "gru", "width": 64, "returns": "last"}`.
struct GRUBlueprint: LayerBlueprint {
    static let kind = "gru"
    static let name = "gru"
    static let example = GRUBlueprint(width: 64, returns: .last)

    var width: Int
    var returns: ReturnedStates

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let inputs = try shape.recur(Self.kind, width: width, gateCount: 3, returning: returns, at: layer)
        return GRU(inputs: inputs, width: width, returning: returns, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// Gated recurrent units over a sequence, of which all states or the last are passed on.
    public static func gru(width: Int, returning states: ReturnedStates) -> Self {
        Self(GRUBlueprint(width: width, returns: states))
    }
}

extension LayerShape {
    /// The shape of a recurrence's outputs takes the place of its inputs'. Returns the number of inputs.
    mutating func recur(
        _ kind: String, width: Int, gateCount: Int, returning states: ReturnedStates, at layer: Int
    ) throws(ModelError) -> Int {
        let (positions, inputs) = try sequence(for: kind, at: layer)
        try checkDimensions([(width, "width"), (gateCount * inputs, "number of inputs")], at: layer)
        try checkDimensions([(width, "width"), (gateCount, "number of gates"), (width, "width")], at: layer)
        self = LayerShape(states == .all ? [positions, width] : [width])
        return inputs
    }
}
