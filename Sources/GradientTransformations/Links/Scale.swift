import PyTrees

/// Multiplies updates by a number.
///
///     u = factor · g
///
/// The factor is any finite number; negative ones descend. As optax's `scale`.
///
///     let descent = try chain { try Scale(-0.1) }
public struct Scale: ElementwiseTransformation, Codable, Hashable {
    /// What updates are multiplied by.
    @Hyperparameter<Finite> public var factor: Double

    /// Throws `invalidHyperparameter` unless `factor` is finite.
    public init(_ factor: Double) throws(GradientTransformationError) {
        _factor = try Hyperparameter(factor, "factor")
    }

    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    public func withOperation(state: inout EmptyState, layout: TreeLayout, _ body: (ScaleOperation) -> Void) {
        body(ScaleOperation(factor: Float(factor)))
    }
}
