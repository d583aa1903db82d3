import CPrivacyKernels
import PyTrees

/// Divides gradients by the root of the running estimate of their variance.
///
///     m = ρ m + (1 − ρ) g,  v = ρ v + (1 − ρ) g²
///     u = g / √(max(v − m², 0) + ε), or g / (√max(v − m², 0) + ε) with `epsilonOutsideRoot`
///
/// With `biasCorrection`, m / (1 − ρᵗ) and v / (1 − ρᵗ) stand for m and v in u. ρ lies in [0, 1), ε > 0, and v starts
/// at `initialValue` ≥ 0. The maximum is what optax's `scale_by_stddev` lacks: rounding can bring v − m² below zero,
/// and the result would be NaN. Source: Graves, arXiv 1308.0850.
///
///     let optimizer = try chain { try ScaleByCenteredRMS(decay: 0.99); try Scale(-0.01) }
public struct ScaleByCenteredRMS: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_stddev`.
    public static var identifier: String { "scale_by_stddev" }

    /// How much of the means stays from step to step, ρ in [0, 1).
    @Hyperparameter<Decay> public var decay: Double

    /// What keeps the divisor from zero, ε > 0.
    @Hyperparameter<Positive> public var epsilon: Double

    /// The second moment before the first step, at least 0.
    @Hyperparameter<NonNegative> public var initialValue: Double

    /// Whether ε is added to the root, and not under it.
    public let epsilonOutsideRoot: Bool

    /// Whether the means are corrected for their start.
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

    /// A first moment of zero and a second one of `initialValue`.
    public func initialState(for parameters: ParameterVector) -> MomentsState {
        var state = MomentsState(zeros: parameters.layout)
        state.secondMoment = ParameterVector(repeating: Float(initialValue), layout: parameters.layout)
        return state
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout MomentsState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: decay, beta2: decay, steps: state.steps)
        if !biasCorrection {
            constants.momentum = 1
            constants.correction = 1
        }
        if epsilonOutsideRoot { constants.epsilon = Float(epsilon) } else { constants.root = Float(epsilon) }
        state.withOperation(.two(Kernels.active.centered_rms), constants, layout: layout, body)
    }
}
