import CPrivacyKernels
import PyTrees

/// Divides gradients by the root of the sum of all their squares.
///
///     v = v + g²,  u = g / √(v + ε)
///
/// v starts at `initialValue` ≥ 0, and ε > 0. Source: Duchi, Hazan and Singer, "Adaptive Subgradient Methods for
/// Online Learning and Stochastic Optimization", JMLR 12, 2011. As optax's `scale_by_rss`.
///
///     let optimizer = try chain { try ScaleBySumOfSquares(); try Scale(-0.1) }
public struct ScaleBySumOfSquares: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_rss`.
    public static var identifier: String { "scale_by_rss" }

    /// The sum before the first step, at least 0.
    @Hyperparameter<NonNegative> public var initialValue: Double

    /// What is added under the root, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(initialValue: Double = 0.1, epsilon: Double = 1e-7) throws(GradientTransformationError) {
        _initialValue = try Hyperparameter(initialValue, "initialValue")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
    }

    /// A sum of `initialValue`.
    public func initialState(for parameters: ParameterVector) -> SecondMomentOnlyState {
        SecondMomentOnlyState(
            secondMoment: ParameterVector(repeating: Float(initialValue), layout: parameters.layout))
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(
        state: inout SecondMomentOnlyState, layout: TreeLayout, _ body: (MomentOperation) -> Void
    ) {
        state.steps += 1
        let constants = dpk_constants(
            decay1: 0, gain1: 0, decay2: 1, gain2: 1, momentum: 0, gradient: 0, correction: 1, root: Float(epsilon),
            epsilon: 0)
        withMoments(&state.secondMoment, layout: layout) {
            body(MomentOperation(formula: .one(Kernels.active.rms), constants: constants, first: $0))
        }
    }
}
