import CPrivacyKernels
import PyTrees

/// Adam whose second moment moves by at most a share of the squared gradient.
///
///     m = β₁ m + (1 − β₁) g,  v = v − (1 − β₂) sign(v − g²) g²
///     u = m̂ / (√(v̂ + εᵣ) + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  t = 1, 2, …
///
/// β₁ and β₂ lie in [0, 1), ε > 0, εᵣ ≥ 0. m and v start at `initialValue` ≥ 0. Source: Zaheer et al., "Adaptive
/// Methods for Nonconvex Optimization", NeurIPS 2018. As optax's `scale_by_yogi`.
///
///     let optimizer = try chain { try ScaleByYogi(); try Scale(-0.01) }
public struct ScaleByYogi: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_yogi`.
    public static var identifier: String { "scale_by_yogi" }

    /// How much of the mean stays from step to step, β₁ in [0, 1).
    @Hyperparameter<Decay> public var beta1: Double

    /// One minus the share by which the second moment moves, β₂ in [0, 1).
    @Hyperparameter<Decay> public var beta2: Double

    /// What is added to the root, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// What is added under the root, εᵣ ≥ 0.
    @Hyperparameter<NonNegative> public var epsilonRoot: Double

    /// Both moments before the first step, at least 0.
    @Hyperparameter<NonNegative> public var initialValue: Double

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-3, epsilonRoot: Double = 0,
        initialValue: Double = 1e-6
    ) throws(GradientTransformationError) {
        _beta1 = try Hyperparameter(beta1, "beta1")
        _beta2 = try Hyperparameter(beta2, "beta2")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
        _epsilonRoot = try Hyperparameter(epsilonRoot, "epsilonRoot")
        _initialValue = try Hyperparameter(initialValue, "initialValue")
    }

    /// Moments of `initialValue`.
    public func initialState(for parameters: ParameterVector) -> MomentsState {
        var state = MomentsState(zeros: parameters.layout)
        state.firstMoment = ParameterVector(repeating: Float(initialValue), layout: parameters.layout)
        state.secondMoment = state.firstMoment
        return state
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout MomentsState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: beta1, beta2: beta2, steps: state.steps)
        constants.root = Float(epsilonRoot)
        constants.epsilon = Float(epsilon)
        state.withOperation(.two(Kernels.active.yogi), constants, layout: layout, body)
    }
}
