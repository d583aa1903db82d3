import Differentiation
import PyTrees
import Requirements

/// One vector for the positions of a sequence; padding does not count. No parameters.
public struct SequencePooling: Layer, StackLayer {
    /// What stands for the positions.
    public enum Kind: String, Codable, CaseIterable, Hashable, Sendable {
        /// The mean.
        case mean
        /// The largest number, for each feature.
        case max
        /// The last position.
        case last

        /// Reads a name. Throws `DecodingError` with the names that there are.
        public init(from decoder: any Decoder) throws { self = try decoder.choice() }
    }

    /// What stands for the positions.
    public let kind: Kind

    /// A pooling layer.
    public init(_ kind: Kind) { self.kind = kind }

    /// Shape [positions, width] to [width]: zeros where all is padding.
    public func callAsFunction(_ input: Value) -> Value {
        switch kind {
        case .mean: input.mean(over: .positions)
        case .max: input.max(over: .positions)
        case .last: input.lastPosition()
        }
    }

    /// No children.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {}
}

/// Pooling over positions in an architecture: `{"kind": "sequencePooling", "pooling": "mean"}`.
struct SequencePoolingBlueprint: LayerBlueprint {
    static let kind = "sequencePooling"
    static let name = "pool"
    static let example = SequencePoolingBlueprint(pooling: .mean)

    var pooling: SequencePooling.Kind

    var seesLaterPositions: Bool { true }

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        let (_, width) = try shape.sequence(for: Self.kind, at: layer)
        shape = LayerShape([width])
        return SequencePooling(pooling)
    }
}

extension NetworkArchitecture.Layer {
    /// The mean, the largest or the last of a sequence's positions.
    public static func sequencePooling(_ kind: SequencePooling.Kind) -> Self {
        Self(SequencePoolingBlueprint(pooling: kind))
    }
}
