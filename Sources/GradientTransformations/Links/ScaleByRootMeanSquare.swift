import CPrivacyKernels
import PyTrees

/// Divides gradients by the root of the running mean of their squares: ``ScaleByRootMeanSquare`` with v alone, as
/// optax's `scale_by_rms`.
public typealias ScaleByRMS = ScaleByRootMeanSquare<SecondMomentOnlyState>

/// Divides gradients by the root of the running estimate of their variance: ``ScaleByRootMeanSquare`` with m and v, as
/// optax's `scale_by_stddev`.
public typealias ScaleByCenteredRMS = ScaleByRootMeanSquare<MomentsState>

/// Divides gradients by a running root mean square: of the gradients, or of their distance from their running mean.
///
///     v = ρ v + (1 − ρ) g²,  m = ρ m + (1 − ρ) g
///     u = g / √(w + ε), or g / (√w + ε) with `epsilonOutsideRoot`
///
/// with w = v where the state holds v alone (``ScaleByRMS``) and w = max(v − m², 0) where it holds both
/// (``ScaleByCenteredRMS``). The maximum is what optax's `scale_by_stddev` lacks: rounding can bring v − m² below zero,
/// and the result would be NaN.
///
/// With `biasCorrection`, m / (1 − ρᵗ) and v / (1 − ρᵗ) stand for m and v in w. ρ lies in [0, 1), ε > 0, and v starts
/// at `initialValue` ≥ 0. Sources: Tieleman and Hinton, "Lecture 6.5 — RMSProp", 2012; Graves, arXiv 1308.0850.
///
///     let optimizer = try chain { try ScaleByRMS(decay: 0.99); try Scale(-0.01) }
public struct ScaleByRootMeanSquare<State: RootMeanSquareState>: ElementwiseTransformation, Codable, Hashable {
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

    /// A second moment of `initialValue`, and a first one of zero where there is one.
    public func initialState(for parameters: ParameterVector) -> State {
        State(secondMoment: ParameterVector(repeating: Float(initialValue), layout: parameters.layout))
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout State, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: decay, beta2: decay, steps: state.steps)
        if !biasCorrection {
            constants.momentum = 1
            constants.correction = 1
        }
        if epsilonOutsideRoot { constants.epsilon = Float(epsilon) } else { constants.root = Float(epsilon) }
        state.withOperation(RootMeanSquareStep(constants: constants), layout: layout, body)
    }
}

/// The running means of a ``ScaleByRootMeanSquare``: which they are says what it divides by.
public protocol RootMeanSquareState: SingleSecondMomentState, Codable, Hashable, Sendable {
    /// The number of steps taken.
    var steps: Int { get set }

    /// The means before the first step.
    init(secondMoment: ParameterVector)

    /// Calls `body` with what one step does to each block. Traps unless the moments have `layout`.
    mutating func withOperation(_ step: RootMeanSquareStep, layout: TreeLayout, _ body: (MomentOperation) -> Void)
}

/// The numbers of one step of a ``ScaleByRootMeanSquare``.
public struct RootMeanSquareStep {
    fileprivate let constants: dpk_constants
}

extension SecondMomentOnlyState: RootMeanSquareState {
    /// No step taken yet.
    public init(secondMoment: ParameterVector) {
        self.init(steps: 0, secondMoment: secondMoment)
    }

    /// Divides by the root of v.
    public mutating func withOperation(
        _ step: RootMeanSquareStep, layout: TreeLayout, _ body: (MomentOperation) -> Void
    ) {
        withMoments(&secondMoment, layout: layout) {
            body(MomentOperation(formula: .one(Kernels.active.rms), constants: step.constants, first: $0))
        }
    }
}

extension MomentsState: RootMeanSquareState {
    /// No step taken yet, and a first moment of zero.
    public init(secondMoment: ParameterVector) {
        self.init(zeros: secondMoment.layout)
        self.secondMoment = secondMoment
    }

    /// Divides by the root of v − m².
    public mutating func withOperation(
        _ step: RootMeanSquareStep, layout: TreeLayout, _ body: (MomentOperation) -> Void
    ) {
        withOperation(.two(Kernels.active.centered_rms), step.constants, layout: layout, body)
    }
}
