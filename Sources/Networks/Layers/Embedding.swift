import Differentiation
import PyTrees

/// A vector for each token: the row of a table that its id names.
public struct Embedding: StackLayer {
    /// E: [vocabulary, width].
    public var table: Tensor

    /// A layer with a random table.
    public init(vocabulary: Int, width: Int, weights: inout InitialWeights) {
        table = weights.table(rows: vocabulary, width: width)
    }

    /// Shape [positions] to [positions, width]. Padding has zeros.
    public func callAsFunction(_ tokens: Indices) -> Value { tokens.embedded(in: table) }

    /// The vectors of token ids.
    public func apply(to signal: Signal, in stack: LayerStack) -> Signal { .values(self(signal.tokens)) }

    /// `table`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("table", &table)
    }
}

extension InitialWeights {
    /// A table of vectors: uniform with a variance of 1/width, so that products of a row and a vector of normalised
    /// features, as of a tied head, have a variance of 1. As fairseq's transformers begin (arXiv 1904.01038).
    public mutating func table(rows: Int, width: Int) -> Tensor {
        uniform(shape: [rows, width], bound: (3 / Float(width)).squareRoot())
    }
}

/// An embedding in an architecture, whose vocabulary is that of the input: `{"kind": "embedding", "width": 64}`.
struct EmbeddingBlueprint: LayerBlueprint {
    static let kind = "embedding"
    static let name = "embedding"
    static let example = EmbeddingBlueprint(width: 64)

    var width: Int

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        guard let vocabulary = shape.vocabulary else { throw .noTokens(layer: layer) }
        try checkDimensions([(width, "width"), (vocabulary, "vocabulary")], at: layer)
        try checkDimensions([(width, "width"), (shape.count, "number of positions")], at: layer)
        shape = LayerShape(shape.dimensions + [width])
        shape.table = LayerShape.TableSize(vocabulary: vocabulary, width: width)
        return Embedding(vocabulary: vocabulary, width: width, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// A vector of `width` numbers for each token.
    public static func embedding(width: Int) -> Self { Self(EmbeddingBlueprint(width: width)) }
}
