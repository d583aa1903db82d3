import Differentiation
import PyTrees
import Requirements

/// A score for each token: the product with the table of the embedding that the stack begins with. No parameters of its
/// own. Source: arXiv 1608.05859.
///
/// In a function of your own, `value.multiplied(byTransposed: model.embedding.table)` is the same.
public struct TiedHead: StackLayer {
    /// A head.
    public init() {}

    /// Shape […, width] to […, vocabulary]. Traps unless the stack has an embedding, of rows of as many numbers.
    public func apply(to signal: Signal, in stack: LayerStack) -> Signal {
        let embeddings = stack.layers.compactMap { $0.layer as? Embedding }
        guard let embedding = embeddings.first else { fail("A tied head needs an embedding among the layers before.") }
        return .values(signal.values.multiplied(byTransposed: embedding.table))
    }

    /// No children.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {}
}

/// A tied head in an architecture: `{"kind": "tiedHead"}`.
struct TiedHeadBlueprint: LayerBlueprint {
    static let kind = "tiedHead"
    static let name = "head"
    static let example = TiedHeadBlueprint()

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let features = try shape.features(for: Self.kind, at: layer)
        guard let table = shape.table else { throw .noEmbedding(layer: layer) }
        if features != table.width {
            throw .tiedWidthMismatch(features: features, embedding: table.width, layer: layer)
        }
        try checkDimensions(
            [(table.vocabulary, "vocabulary"), (shape.count / features, "number of positions")], at: layer)
        shape = LayerShape(shape.dimensions.dropLast() + [table.vocabulary])
        return TiedHead()
    }
}

extension NetworkArchitecture.Layer {
    /// A score for each token, by the table of the embedding.
    public static var tiedHead: Self { Self(TiedHeadBlueprint()) }
}
