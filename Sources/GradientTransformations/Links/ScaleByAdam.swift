import CPrivacyKernels
import PyTrees

/// Divides the running mean of gradients by the root of the running mean of their squares.
///
///     m = β₁ m + (1 − β₁) g,  v = β₂ v + (1 − β₂) g²
///     u = m̂ / (√(v̂ + εᵣ) + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  t = 1, 2, …
///
/// With `nesterov`, m̂ = β₁ m / (1 − β₁ᵗ⁺¹) + (1 − β₁) g / (1 − β₁ᵗ) (Dozat, "Incorporating Nesterov Momentum into
/// Adam"). Source: Kingma and Ba, arXiv 1412.6980. As optax's `scale_by_adam`.
///
///     let optimizer = try chain { try ScaleByAdam(beta2: 0.99); try Scale(-0.001) }
public struct ScaleByAdam: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_adam`.
    public static var identifier: String { "scale_by_adam" }

    /// How much of the mean stays from step to step, β₁ in [0, 1).
    @Hyperparameter<Decay> public var beta1: Double

    /// How much of the mean square stays from step to step, β₂ in [0, 1).
    @Hyperparameter<Decay> public var beta2: Double

    /// What is added to the root, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// What is added under the root, εᵣ ≥ 0.
    @Hyperparameter<NonNegative> public var epsilonRoot: Double

    /// Whether the mean looks one step ahead.
    public let nesterov: Bool

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, epsilonRoot: Double = 0,
        nesterov: Bool = false
    ) throws(GradientTransformationError) {
        _beta1 = try Hyperparameter(beta1, "beta1")
        _beta2 = try Hyperparameter(beta2, "beta2")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
        _epsilonRoot = try Hyperparameter(epsilonRoot, "epsilonRoot")
        self.nesterov = nesterov
    }

    /// Moments of zero.
    public func initialState(for parameters: ParameterVector) -> MomentsState {
        MomentsState(zeros: parameters.layout)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout MomentsState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: beta1, beta2: beta2, steps: state.steps, nesterov: nesterov)
        constants.root = Float(epsilonRoot)
        constants.epsilon = Float(epsilon)
        state.withOperation(.two(Kernels.active.adam), constants, layout: layout, body)
    }
}
