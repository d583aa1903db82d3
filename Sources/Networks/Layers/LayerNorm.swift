import Differentiation
import PyTrees

/// (x − mean) / √(variance + ε) ∘ gain + bias, with mean and variance over features. Source: arXiv 1607.06450.
public struct LayerNorm: Layer, StackLayer {
    /// [features].
    public var gain: Tensor
    /// [features].
    public var bias: Tensor
    /// ε.
    public let epsilon: Float

    /// A layer with a gain of ones and a bias of zeros. Traps when it is used unless ε is above 0.
    public init(features: Int, epsilon: Float = 1e-5) {
        gain = Tensor([Float](repeating: 1, count: features))
        bias = Tensor(zeros: [features])
        self.epsilon = epsilon
    }

    /// Shape […, features] to the same.
    public func callAsFunction(_ input: Value) -> Value {
        input.layerNormalized(gain: gain, bias: bias, epsilon: epsilon)
    }

    /// `gain` and `bias`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("gain", &gain)
        try visitor.visit("bias", &bias)
    }
}

/// Normalisation over features in an architecture: `{"kind": "layerNorm"}`.
struct LayerNormBlueprint: LayerBlueprint {
    static let kind = "layerNorm"
    static let name = "norm"
    static let example = LayerNormBlueprint()

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        LayerNorm(features: try shape.features(for: Self.kind, at: layer))
    }
}

extension NetworkArchitecture.Layer {
    /// Features of mean 0 and variance 1, times a gain, plus a bias.
    public static var layerNorm: Self { Self(LayerNormBlueprint()) }
}
