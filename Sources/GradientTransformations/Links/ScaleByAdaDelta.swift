import CPrivacyKernels
import PyTrees

/// Multiplies gradients by the ratio of the root mean squares of past updates and gradients.
///
///     v = ρ v + (1 − ρ) g²,  u = g √(w + ε) / √(v + ε),  w = ρ w + (1 − ρ) u²
///
/// ρ lies in [0, 1), ε > 0. Source: Zeiler, arXiv 1212.5701. As optax's `scale_by_adadelta`.
///
///     let optimizer = try chain { try ScaleByAdaDelta(); try Scale(-1) }
public struct ScaleByAdaDelta: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_adadelta`.
    public static var identifier: String { "scale_by_adadelta" }

    /// How much of the mean squares stays from step to step, ρ in [0, 1).
    @Hyperparameter<Decay> public var decay: Double

    /// What is added under both roots, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(decay: Double = 0.9, epsilon: Double = 1e-6) throws(GradientTransformationError) {
        _decay = try Hyperparameter(decay, "decay")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
    }

    /// The mean squares of AdaDelta.
    public struct State: SingleSecondMomentState, Codable, Hashable, Sendable {
        /// The running mean of squared gradients, v.
        public var secondMoment: ParameterVector

        /// The running mean of squared updates, w.
        public var updateMeanSquare: ParameterVector
    }

    /// Mean squares of zero.
    public func initialState(for parameters: ParameterVector) -> State {
        let zeros = ParameterVector(zeros: parameters.layout)
        return State(secondMoment: zeros, updateMeanSquare: zeros)
    }

    /// Calls `body` with the formula.
    public func withOperation(state: inout State, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        var constants = dpk_constants(beta1: 0, beta2: decay, steps: 1)
        constants.root = Float(epsilon)
        withMoments(&state.secondMoment, &state.updateMeanSquare, layout: layout) {
            body(MomentOperation(formula: .two(Kernels.active.adadelta), constants: constants, first: $0, second: $1))
        }
    }
}
