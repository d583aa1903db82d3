import Differentiation
import PyTrees

/// x + f(x), with f some layers one after the other: He et al., arXiv 1512.03385.
public struct Residual: StackLayer {
    /// f.
    public var layers: LayerStack

    /// A connection around `layers`.
    public init(_ layers: LayerStack) { self.layers = layers }

    /// The same shape. Traps unless the layers keep it.
    public func apply(to signal: Signal, in stack: LayerStack) -> Signal {
        let input = signal.values
        return .values(input + layers.apply(to: .values(input), in: stack).values)
    }

    /// Those of the layers, without a key of their own.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
        try layers.visitChildren(&visitor)
    }
}

/// A residual connection in an architecture:
/// `{"kind": "residual", "layers": [{"kind": "dense", "outputs": 64, "activation": "relu"}]}`.
///
/// Its leaves lie under the names of the layers inside, counted anew: `residual1/dense1/kernel`.
struct ResidualBlueprint: LayerBlueprint {
    static let kind = "residual"
    static let name = "residual"
    static let example = ResidualBlueprint(layers: [.dense(outputs: 64, activation: .relu)])

    var layers: [NetworkArchitecture.Layer]

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        _ = try shape.features(for: Self.kind, at: layer)
        let before = shape.dimensions
        let inner: LayerStack
        do throws(ModelError) {
            inner = try LayerStack(layers, on: &shape, weights: &weights)
        } catch {
            throw .insideResidual(layer: layer, error)
        }
        if shape.dimensions != before {
            throw .residualChangesShape(layer: layer, from: before, to: shape.dimensions)
        }
        return Residual(inner)
    }
}

extension NetworkArchitecture.Layer {
    /// x + f(x), with f the layers one after the other, which have to keep the shape.
    public static func residual(_ layers: [NetworkArchitecture.Layer]) -> Self {
        Self(ResidualBlueprint(layers: layers))
    }
}
