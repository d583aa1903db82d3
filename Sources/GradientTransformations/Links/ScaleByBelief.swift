import CPrivacyKernels
import PyTrees

/// Adam whose second moment is that of the gradients' distance from their running mean.
///
///     m = β₁ m + (1 − β₁) g,  v = β₂ v + (1 − β₂) (g − m)² + εᵣ
///     u = m̂ / (√v̂ + ε),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  t = 1, 2, …
///
/// β₁ and β₂ lie in [0, 1), ε > 0, εᵣ ≥ 0. With `nesterov`, m̂ is that of ``ScaleByAdam``. Its v is a variance and no
/// second moment: scale-then-privatize does not take it. Source: Zhuang et al., arXiv 2010.07468. As optax's
/// `scale_by_belief`.
///
///     let optimizer = try chain { try ScaleByBelief(); try Scale(-0.001) }
public struct ScaleByBelief: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_belief`.
    public static var identifier: String { "scale_by_belief" }

    /// How much of the mean stays from step to step, β₁ in [0, 1).
    @Hyperparameter<Decay> public var beta1: Double

    /// How much of the variance stays from step to step, β₂ in [0, 1).
    @Hyperparameter<Decay> public var beta2: Double

    /// What is added to the root, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// What is added to the variance in each step, εᵣ ≥ 0.
    @Hyperparameter<NonNegative> public var epsilonRoot: Double

    /// Whether the mean looks one step ahead.
    public let nesterov: Bool

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-16, epsilonRoot: Double = 1e-16,
        nesterov: Bool = false
    ) throws(GradientTransformationError) {
        _beta1 = try Hyperparameter(beta1, "beta1")
        _beta2 = try Hyperparameter(beta2, "beta2")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
        _epsilonRoot = try Hyperparameter(epsilonRoot, "epsilonRoot")
        self.nesterov = nesterov
    }

    /// The mean and the variance of AdaBelief.
    public struct State: Codable, Hashable, Sendable {
        /// The number of steps taken.
        public var steps = 0

        /// The first moment m.
        public var firstMoment: ParameterVector

        /// The running variance v.
        public var variance: ParameterVector
    }

    /// Mean and variance of zero.
    public func initialState(for parameters: ParameterVector) -> State {
        let zeros = ParameterVector(zeros: parameters.layout)
        return State(firstMoment: zeros, variance: zeros)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout State, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: beta1, beta2: beta2, steps: state.steps, nesterov: nesterov)
        constants.root = Float(epsilonRoot)
        constants.epsilon = Float(epsilon)
        withMoments(&state.firstMoment, &state.variance, layout: layout) {
            body(MomentOperation(formula: .two(Kernels.active.belief), constants: constants, first: $0, second: $1))
        }
    }
}
