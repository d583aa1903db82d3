import CPrivacyKernels
import PyTrees

/// Momentum: adds up gradients, forgetting the old ones.
///
///     m = μ m + g,  u = m, or g + μ m with `nesterov`
///
/// μ lies in [0, 1). Source: Sutskever et al., "On the Importance of Initialization and Momentum in Deep Learning",
/// ICML 2013. As optax's `trace`.
///
///     let optimizer = try chain { try Trace(decay: 0.9); try Scale(-0.1) }
public struct Trace: ElementwiseTransformation, Codable, Hashable {
    /// `trace`.
    public static var identifier: String { "trace" }

    /// How much of the sum stays from step to step, μ in [0, 1).
    @Hyperparameter<Decay> public var decay: Double

    /// Whether the sum looks one step ahead.
    public let nesterov: Bool

    /// Throws `invalidHyperparameter` if `decay` lies outside [0, 1).
    public init(decay: Double, nesterov: Bool = false) throws(GradientTransformationError) {
        _decay = try Hyperparameter(decay, "decay")
        self.nesterov = nesterov
    }

    /// A sum of zero.
    public func initialState(for parameters: ParameterVector) -> FirstMomentState {
        FirstMomentState(zeros: parameters.layout)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout FirstMomentState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        let constants = dpk_constants(
            decay1: Float(decay), gain1: 1, decay2: 0, gain2: 0, momentum: nesterov ? Float(decay) : 1,
            gradient: nesterov ? 1 : 0, correction: 0, root: 0, epsilon: 0)
        state.withOperation(.one(Kernels.active.momentum), constants, layout: layout, body)
    }
}

/// The running mean of gradients.
///
///     m = β m + (1 − β) g,  u = m / (1 − βᵗ), or m without `debias`;  t = 1, 2, …
///
/// β lies in [0, 1). As optax's `ema`.
///
///     let optimizer = try chain { try EMA(decay: 0.9); try Scale(-0.1) }
public struct EMA: ElementwiseTransformation, Codable, Hashable {
    /// `ema`.
    public static var identifier: String { "ema" }

    /// How much of the mean stays from step to step, β in [0, 1).
    @Hyperparameter<Decay> public var decay: Double

    /// Whether the mean is corrected for its start at zero.
    public let debias: Bool

    /// Throws `invalidHyperparameter` if `decay` lies outside [0, 1).
    public init(decay: Double, debias: Bool = true) throws(GradientTransformationError) {
        _decay = try Hyperparameter(decay, "decay")
        self.debias = debias
    }

    /// A mean of zero.
    public func initialState(for parameters: ParameterVector) -> FirstMomentState {
        FirstMomentState(zeros: parameters.layout)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout FirstMomentState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: decay, beta2: 0, steps: state.steps)
        if !debias { constants.momentum = 1 }
        state.withOperation(.one(Kernels.active.momentum), constants, layout: layout, body)
    }
}
