import Differentiation
import PyTrees

/// Attention of a sequence to itself: output(softmax(QKᵀ/√d)V), with Q, K and V dense maps of the input.
///
/// Keys have no bias: it would add the same to all scores of a query, which the softmax does not see, so that nothing
/// but noise would come to it. Source: arXiv 1706.03762, section 3.2.2.
public struct MultiHeadAttention: Layer, StackLayer {
    /// [width, width].
    public var query: Dense
    /// [width, width], without bias.
    public var key: Dense
    /// [width, width].
    public var value: Dense
    /// [width, width].
    public var output: Dense
    /// The number of heads, each of width / heads features.
    public let heads: Int
    /// Whether a position attends to itself and to those before it alone.
    public let isCausal: Bool

    /// A layer with random kernels and biases of zeros. Traps when it is used unless heads divide the width.
    public init(width: Int, heads: Int, isCausal: Bool = false, weights: inout InitialWeights) {
        query = Dense(inputs: width, outputs: width, weights: &weights)
        key = Dense(inputs: width, outputs: width, hasBias: false, weights: &weights)
        value = Dense(inputs: width, outputs: width, weights: &weights)
        output = Dense(inputs: width, outputs: width, weights: &weights)
        (self.heads, self.isCausal) = (heads, isCausal)
    }

    /// Shape [positions, width] to the same. Padding is not attended to.
    public func callAsFunction(_ input: Value) -> Value {
        output(
            attention(
                queries: query(input), keys: key(input), values: value(input), heads: heads, isCausal: isCausal))
    }

    /// `query`, `key`, `value` and `output`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("query", &query)
        try visitor.visit("key", &key)
        try visitor.visit("value", &value)
        try visitor.visit("output", &output)
    }
}

/// Attention in an architecture: `{"kind": "attention", "heads": 4, "isCausal": true}`.
struct MultiHeadAttentionBlueprint: LayerBlueprint {
    static let kind = "attention"
    static let name = "attention"
    static let example = MultiHeadAttentionBlueprint(heads: 4, isCausal: true)

    var heads: Int
    var isCausal: Bool

    var seesLaterPositions: Bool { !isCausal }

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let width = try shape.width(for: Self.kind, heads: heads, at: layer)
        return MultiHeadAttention(width: width, heads: heads, isCausal: isCausal, weights: &weights)
    }
}

extension LayerShape {
    /// The features of a sequence that attention of so many heads takes.
    func width(for kind: String, heads: Int, at layer: Int) throws(ModelError) -> Int {
        let (positions, width) = try sequence(for: kind, at: layer)
        try checkDimensions([(heads, "number of heads")], at: layer)
        try checkDimensions([(width, "width"), (width, "width")], at: layer)
        try checkDimensions([(positions, "number of positions"), (positions, "number of positions")], at: layer)
        if !width.isMultiple(of: heads) {
            throw .doesNotDivide(heads, name: "heads", features: width, layer: layer)
        }
        return width
    }
}

extension NetworkArchitecture.Layer {
    /// Attention of a sequence to itself.
    public static func attention(heads: Int, isCausal: Bool) -> Self {
        Self(MultiHeadAttentionBlueprint(heads: heads, isCausal: isCausal))
    }
}
