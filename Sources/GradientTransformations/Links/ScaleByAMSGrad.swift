import CPrivacyKernels
import PyTrees

/// Adam whose second moment never sinks.
///
///     m = β₁ m + (1 − β₁) g,  v = β₂ v + (1 − β₂) g²,  w = max(w, v / (1 − β₂ᵗ))
///     u = m̂ / (√(w + εᵣ) + ε),  m̂ = m / (1 − β₁ᵗ),  t = 1, 2, …
///
/// β₁ and β₂ lie in [0, 1), ε > 0, εᵣ ≥ 0. The second moment that scale-then-privatize sees is w. Source: Reddi, Kale
/// and Kumar, arXiv 1904.09237, with bias corrections as in optax's `scale_by_amsgrad`.
///
///     let optimizer = try chain { try ScaleByAMSGrad(); try Scale(-0.001) }
public struct ScaleByAMSGrad: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_amsgrad`.
    public static var identifier: String { "scale_by_amsgrad" }

    /// How much of the mean stays from step to step, β₁ in [0, 1).
    @Hyperparameter<Decay> public var beta1: Double

    /// How much of the mean square stays from step to step, β₂ in [0, 1).
    @Hyperparameter<Decay> public var beta2: Double

    /// What is added to the root, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// What is added under the root, εᵣ ≥ 0.
    @Hyperparameter<NonNegative> public var epsilonRoot: Double

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, epsilonRoot: Double = 0
    ) throws(GradientTransformationError) {
        _beta1 = try Hyperparameter(beta1, "beta1")
        _beta2 = try Hyperparameter(beta2, "beta2")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
        _epsilonRoot = try Hyperparameter(epsilonRoot, "epsilonRoot")
    }

    /// The moments of AMSGrad.
    public struct State: SingleSecondMomentState, Codable, Hashable, Sendable {
        /// The number of steps taken.
        public var steps = 0

        /// The first moment m.
        public var firstMoment: ParameterVector

        /// The running mean of squares v.
        public var meanSquare: ParameterVector

        /// The largest corrected mean of squares so far, w.
        public var secondMoment: ParameterVector
    }

    /// Moments of zero.
    public func initialState(for parameters: ParameterVector) -> State {
        let zeros = ParameterVector(zeros: parameters.layout)
        return State(firstMoment: zeros, meanSquare: zeros, secondMoment: zeros)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout State, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: beta1, beta2: beta2, steps: state.steps)
        constants.root = Float(epsilonRoot)
        constants.epsilon = Float(epsilon)
        withMoments(&state.firstMoment, &state.meanSquare, &state.secondMoment, layout: layout) {
            body(
                MomentOperation(
                    formula: .three(Kernels.active.amsgrad), constants: constants, first: $0, second: $1, third: $2))
        }
    }
}
