import CPrivacyKernels
import PyTrees

/// Replaces gradients by the sign of a mean of them and their running mean.
///
///     u = sign(β₁ m + (1 − β₁) g),  m = β₂ m + (1 − β₂) g
///
/// β₁ and β₂ lie in [0, 1). Source: Chen et al., arXiv 2302.06675. As optax's `scale_by_lion`.
///
///     let optimizer = try chain { try ScaleByLion(); try Scale(-1e-4) }
public struct ScaleByLion: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_lion`.
    public static var identifier: String { "scale_by_lion" }

    /// The weight of the running mean in the sign, β₁ in [0, 1).
    @Hyperparameter<Decay> public var beta1: Double

    /// How much of the running mean stays from step to step, β₂ in [0, 1).
    @Hyperparameter<Decay> public var beta2: Double

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(beta1: Double = 0.9, beta2: Double = 0.99) throws(GradientTransformationError) {
        _beta1 = try Hyperparameter(beta1, "beta1")
        _beta2 = try Hyperparameter(beta2, "beta2")
    }

    /// A running mean of zero.
    public func initialState(for parameters: ParameterVector) -> FirstMomentState {
        FirstMomentState(zeros: parameters.layout)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout FirstMomentState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        let constants = dpk_constants(beta1: beta1, beta2: beta2, steps: state.steps)
        state.withOperation(.one(Kernels.active.lion), constants, layout: layout, body)
    }
}
