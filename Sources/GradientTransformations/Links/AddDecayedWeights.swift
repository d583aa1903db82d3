import PyTrees

/// Decoupled weight decay: adds a share of the parameters to the updates.
///
///     u = g + λ x, for the leaves that the mask selects
///
/// λ is at least 0 and finite. Source: Loshchilov and Hutter, arXiv 1711.05101. As optax's `add_decayed_weights`.
///
///     let optimizer = try chain { try ScaleByAdam(); try AddDecayedWeights(0.01); try Scale(-0.001) }
public struct AddDecayedWeights: ElementwiseTransformation, Codable, Hashable {
    /// `add_decayed_weights`.
    public static var identifier: String { "add_decayed_weights" }

    /// The share λ ≥ 0.
    @Hyperparameter<NonNegative> public var weightDecay: Double

    /// The leaves that decay; nil for all.
    public let mask: TreeMask?

    /// Throws `invalidHyperparameter` if `weightDecay` is negative or not finite.
    public init(_ weightDecay: Double, mask: TreeMask? = nil) throws(GradientTransformationError) {
        _weightDecay = try Hyperparameter(weightDecay, "weightDecay")
        self.mask = mask
    }

    /// Nothing to remember; throws `layoutMismatch` if the mask is for another layout.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> EmptyState {
        try mask?.check(for: parameters.layout)
        return EmptyState()
    }

    /// Calls `body` with the addition.
    public func withOperation(state: inout EmptyState, layout: TreeLayout, _ body: (AddParametersOperation) -> Void) {
        body(AddParametersOperation(factor: Float(weightDecay)))
    }

    /// Adds to what the mask selects.
    public func join(_ pass: inout UpdatePass, state: inout EmptyState, then next: (inout UpdatePass) -> Void) {
        let operation = AddParametersOperation(factor: Float(weightDecay))
        if weightDecay == 0 {
            // Nothing to add, not even NaN.
        } else if let mask {
            pass.append(operation, mask: mask)
        } else {
            pass.append(operation)
        }
        next(&pass)
    }
}
