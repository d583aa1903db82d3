import Differentiation
import PyTrees

/// x + attention(norm(x)), and then x + projection(gelu(hidden(norm(x)))).
///
/// Normalisation comes first, as in arXiv 2002.04745.
public struct TransformerBlock: Layer, StackLayer {
    /// Before attention.
    public var attentionNorm: LayerNorm
    /// Each position's view of the others.
    public var attention: MultiHeadAttention
    /// Before the hidden layer.
    public var hiddenNorm: LayerNorm
    /// [width, hidden width], with GELU.
    public var hidden: Dense
    /// [hidden width, width].
    public var projection: Dense

    /// A block with random kernels and biases of zeros. Traps when it is used unless heads divide the width.
    public init(
        width: Int, heads: Int, hiddenWidth: Int, isCausal: Bool = false, weights: inout InitialWeights
    ) {
        attentionNorm = LayerNorm(features: width)
        attention = MultiHeadAttention(width: width, heads: heads, isCausal: isCausal, weights: &weights)
        hiddenNorm = LayerNorm(features: width)
        hidden = Dense(inputs: width, outputs: hiddenWidth, activation: .gelu, weights: &weights)
        projection = Dense(inputs: hiddenWidth, outputs: width, weights: &weights)
    }

    /// Shape [positions, width] to the same.
    public func callAsFunction(_ input: Value) -> Value {
        let attended = input + attention(attentionNorm(input))
        return attended + projection(hidden(hiddenNorm(attended)))
    }

    /// `attentionNorm`, `attention`, `hiddenNorm`, `hidden` and `projection`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("attentionNorm", &attentionNorm)
        try visitor.visit("attention", &attention)
        try visitor.visit("hiddenNorm", &hiddenNorm)
        try visitor.visit("hidden", &hidden)
        try visitor.visit("projection", &projection)
    }
}

/// A block in an architecture: `{"kind": "transformerBlock", "heads": 4, "hiddenWidth": 256, "isCausal": true}`.
struct TransformerBlockBlueprint: LayerBlueprint {
    static let kind = "transformerBlock"
    static let name = "block"
    static let example = TransformerBlockBlueprint(heads: 4, hiddenWidth: 256, isCausal: true)

    var heads: Int
    var hiddenWidth: Int
    var isCausal: Bool

    var seesLaterPositions: Bool { !isCausal }

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let width = try shape.width(for: Self.kind, heads: heads, at: layer)
        try checkDimensions([(hiddenWidth, "hidden width"), (width, "width")], at: layer)
        return TransformerBlock(
            width: width, heads: heads, hiddenWidth: hiddenWidth, isCausal: isCausal, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// Attention and a hidden layer with GELU, each added to its input, which is normalised before.
    public static func transformerBlock(heads: Int, hiddenWidth: Int, isCausal: Bool) -> Self {
        Self(TransformerBlockBlueprint(heads: heads, hiddenWidth: hiddenWidth, isCausal: isCausal))
    }
}
