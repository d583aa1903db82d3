import Differentiation
import PyTrees

/// A learned vector for each position, which is added to the value there. Source: arXiv 1705.03122, section 3.1.
public struct PositionEmbedding: Layer, StackLayer {
    /// [positions, width].
    public var table: Tensor

    /// A layer with a random table.
    public init(positions: Int, width: Int, weights: inout InitialWeights) {
        table = weights.table(rows: positions, width: width)
    }

    /// Shape [positions, width] to the same.
    public func callAsFunction(_ input: Value) -> Value { input + table }

    /// `table`.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try visitor.visit("table", &table)
    }
}

/// Learned positions in an architecture: `{"kind": "positionEmbedding"}`.
struct PositionEmbeddingBlueprint: LayerBlueprint {
    static let kind = "positionEmbedding"
    static let name = "positions"
    static let example = PositionEmbeddingBlueprint()

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let (positions, width) = try shape.sequence(for: Self.kind, at: layer)
        return PositionEmbedding(positions: positions, width: width, weights: &weights)
    }
}

extension NetworkArchitecture.Layer {
    /// A learned vector for each position, which is added.
    public static var positionEmbedding: Self { Self(PositionEmbeddingBlueprint()) }
}
