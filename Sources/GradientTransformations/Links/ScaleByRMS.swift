import CPrivacyKernels
import PyTrees

/// Divides gradients by the root of the running mean of their squares.
///
///     v = ρ v + (1 − ρ) g²
///     u = g / √(v + ε), or g / (√v + ε) with `epsilonOutsideRoot`
///
/// With `biasCorrection`, v / (1 − ρᵗ) stands for v under the root. ρ lies in [0, 1), ε > 0, and v starts at
/// `initialValue` ≥ 0. Source: Tieleman and Hinton, "Lecture 6.5 — RMSProp", 2012. As optax's `scale_by_rms`.
///
///     let optimizer = try chain { try ScaleByRMS(decay: 0.99); try Scale(-0.01) }
public struct ScaleByRMS: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_rms`.
    public static var identifier: String { "scale_by_rms" }

    /// How much of the mean square stays from step to step, ρ in [0, 1).
    @Hyperparameter<Decay> public var decay: Double

    /// What keeps the divisor from zero, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// The second moment before the first step, at least 0.
    @Hyperparameter<NonNegative> public var initialValue: Double

    /// Whether ε is added to the root, and not under it.
    public let epsilonOutsideRoot: Bool

    /// Whether the mean is corrected for its start.
    public let biasCorrection: Bool

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        decay: Double = 0.9, epsilon: Double = 1e-8, initialValue: Double = 0, epsilonOutsideRoot: Bool = false,
        biasCorrection: Bool = false
    ) throws(GradientTransformationError) {
        _decay = try Hyperparameter(decay, "decay")
        _epsilon = try Hyperparameter(epsilon, "epsilon")
        _initialValue = try Hyperparameter(initialValue, "initialValue")
        self.epsilonOutsideRoot = epsilonOutsideRoot
        self.biasCorrection = biasCorrection
    }

    /// A second moment of `initialValue`.
    public func initialState(for parameters: ParameterVector) -> SecondMomentOnlyState {
        SecondMomentOnlyState(
            secondMoment: ParameterVector(repeating: Float(initialValue), layout: parameters.layout))
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(
        state: inout SecondMomentOnlyState, layout: TreeLayout, _ body: (MomentOperation) -> Void
    ) {
        state.steps += 1
        var constants = dpk_constants(beta1: 0, beta2: decay, steps: state.steps)
        if !biasCorrection { constants.correction = 1 }
        if epsilonOutsideRoot { constants.epsilon = Float(epsilon) } else { constants.root = Float(epsilon) }
        withMoments(&state.secondMoment, layout: layout) {
            body(MomentOperation(formula: .one(Kernels.active.rms), constants: constants, first: $0))
        }
    }
}
