import PyTrees

/// Multiplies updates by a number.
///
///     u = factor · g
///
/// The factor is any finite number; negative ones descend. As optax's `scale`.
///
///     let descent = try chain { try Scale(-0.1) }
public struct Scale: ElementwiseTransformation, Codable, Hashable {
    /// `scale`.
    public static var identifier: String { "scale" }

    /// What updates are multiplied by.
    @Hyperparameter<Finite> public var factor: Double

    /// Throws `invalidHyperparameter` unless `factor` is finite.
    public init(_ factor: Double) throws(GradientTransformationError) {
        _factor = try Hyperparameter(factor, "factor")
    }

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Calls `body` with the multiplication.
    public func withOperation(state: inout EmptyState, layout: TreeLayout, _ body: (ScaleOperation) -> Void) {
        body(ScaleOperation(factor: Float(factor)))
    }
}

/// Leaves updates as they are. As optax's `identity`.
public struct Identity: ElementwiseTransformation, Codable, Hashable {
    /// `identity`.
    public static var identifier: String { "identity" }

    /// The only value.
    public init() {}

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Calls `body` with what changes nothing.
    public func withOperation(state: inout EmptyState, layout: TreeLayout, _ body: (NoOperation) -> Void) {
        body(NoOperation())
    }

    /// Passes on to `next`.
    public func join(_ pass: inout UpdatePass, state: inout EmptyState, then next: (inout UpdatePass) -> Void) {
        next(&pass)
    }
}

/// Replaces updates by zeros, whatever they were. As optax's `set_to_zero`.
///
/// With ``Masked`` it freezes leaves; see ``freeze(_:)``.
public struct SetToZero: ElementwiseTransformation, Codable, Hashable {
    /// `set_to_zero`.
    public static var identifier: String { "set_to_zero" }

    /// The only value.
    public init() {}

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Calls `body` with the zeros.
    public func withOperation(state: inout EmptyState, layout: TreeLayout, _ body: (ZeroOperation) -> Void) {
        body(ZeroOperation())
    }
}

/// Clips every element.
///
///     u = max(−c, min(g, c))
///
/// The bound c is above 0 and finite; NaN stays NaN. As optax's `clip`.
///
///     let optimizer = try chain { try Clip(1); try Scale(-0.1) }
public struct Clip: ElementwiseTransformation, Codable, Hashable {
    /// `clip`.
    public static var identifier: String { "clip" }

    /// The largest absolute value of an element.
    @Hyperparameter<Positive> public var bound: Double

    /// Throws `invalidHyperparameter` unless `bound` is above 0 and finite.
    public init(_ bound: Double) throws(GradientTransformationError) {
        _bound = try Hyperparameter(bound, "bound")
    }

    /// Nothing to remember.
    public func initialState(for parameters: ParameterVector) -> EmptyState { EmptyState() }

    /// Calls `body` with the bounds.
    public func withOperation(state: inout EmptyState, layout: TreeLayout, _ body: (ClipOperation) -> Void) {
        body(ClipOperation(bound: Float(bound)))
    }
}

/// Clips every element of a block.
public struct ClipOperation: UpdateOperation {
    let bound: Float

    /// Clips the updates of `block`.
    public func apply(to block: UpdateBlock) {
        Kernels.active.clip(bound, block.count, block.updates)
    }
}
