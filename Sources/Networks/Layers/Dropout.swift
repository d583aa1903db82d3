import Differentiation
import PyTrees

/// Numbers that are dropped at random in training; see ``/Differentiation/Value/dropout(rate:)``. No parameters.
public struct Dropout: Layer, StackLayer {
    /// The probability that a number is dropped, in [0, 1).
    public let rate: Double

    /// A layer that drops numbers with the probability `rate`.
    public init(rate: Double) { self.rate = rate }

    /// The same shape. Traps unless the rate lies in [0, 1).
    public func callAsFunction(_ input: Value) -> Value { input.dropout(rate: rate) }

    /// No children.
    public mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {}
}

/// Dropout in an architecture: `{"kind": "dropout", "rate": 0.1}`.
struct DropoutBlueprint: LayerBlueprint {
    static let kind = "dropout"
    static let name = "dropout"
    static let example = DropoutBlueprint(rate: 0.1)

    var rate: Double

    func build(
        on shape: inout LayerShape, at layer: Int, weights: inout InitialWeights
    ) throws(ModelError) -> any StackLayer {
        _ = try shape.features(for: Self.kind, at: layer)
        guard rate >= 0, rate < 1 else { throw .invalidRate(rate, layer: layer) }
        return Dropout(rate: rate)
    }
}

extension NetworkArchitecture.Layer {
    /// In training, every number is dropped with the probability `rate`.
    public static func dropout(rate: Double) -> Self { Self(DropoutBlueprint(rate: rate)) }
}
