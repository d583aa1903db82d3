import Differentiation
import PyTrees

/// x / √(mean of x² + ε) ∘ gain, with the mean over features. Source: arXiv 1910.07467.
public struct RMSNorm: Layer, StackLayer {
    /// [features].
    public var gain: Tensor
    /// ε.
    public let epsilon: Float

    /// A layer with a gain of ones. Traps when it is used unless ε is above 0.
    public init(features: Int, epsilon: Float = 1e-5) {
        gain = Tensor([Float](repeating: 1, count: features))
        self.epsilon = epsilon
    }

    /// Shape […, features] to the same.
    public func callAsFunction(_ input: Value) -> Value { input.rmsNormalized(gain: gain, epsilon: epsilon) }

    /// `gain`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("gain", &gain)
    }
}

/// Normalisation by the root mean square in an architecture: `{"kind": "rmsNorm"}`.
struct RMSNormBlueprint: LayerBlueprint {
    static let kind = "rmsNorm"
    static let name = "norm"
    static let example = RMSNormBlueprint()

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        RMSNorm(features: try shape.features(for: Self.kind, at: layer))
    }
}

extension NetworkArchitecture.Layer {
    /// Features of mean square 1, times a gain.
    public static var rmsNorm: Self { Self(RMSNormBlueprint()) }
}
