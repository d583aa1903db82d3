import CPrivacyKernels
import GradientTransformations
import PyTrees

/// Adam without the bias that noise for privacy brings to its second moment.
///
///     m = β₁ m + (1 − β₁) g,  v = β₂ v + (1 − β₂) g²
///     u = m̂ / √max(v̂ − σ², γ),  m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  t = 1, 2, …
///
/// σ is the standard deviation of the noise on each element of the gradient that arrives here: noise multiplier ×
/// sensitivity of what was released, C / B for a mean over B examples clipped to C. Without the correction v̂ tends to
/// the mean square of gradient *and* noise, which under privacy is nearly σ² everywhere: Adam turns into momentum.
/// β₁ and β₂ lie in [0, 1), σ ≥ 0, and the floor γ > 0. Source: Tang, Shpilevskiy and Lécuyer, arXiv 2312.14334.
///
///     let optimizer = try chain { try ScaleByAdamBC(noiseStandardDeviation: 0.01); try Scale(-0.001) }
public struct ScaleByAdamBC: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_adam_bc`.
    public static var identifier: String { "scale_by_adam_bc" }

    /// The standard deviation σ ≥ 0 of the noise on each element.
    @Hyperparameter<NonNegative> public var noiseStandardDeviation: Double

    /// What the corrected second moment is raised to, γ > 0.
    @Hyperparameter<Positive> public var floor: Double

    /// How much of the mean stays from step to step, β₁ in [0, 1).
    @Hyperparameter<Decay> public var beta1: Double

    /// How much of the mean square stays from step to step, β₂ in [0, 1).
    @Hyperparameter<Decay> public var beta2: Double

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        noiseStandardDeviation: Double, floor: Double = 1e-8, beta1: Double = 0.9, beta2: Double = 0.999
    ) throws(GradientTransformationError) {
        _noiseStandardDeviation = try Hyperparameter(noiseStandardDeviation, "noiseStandardDeviation")
        _floor = try Hyperparameter(floor, "floor")
        _beta1 = try Hyperparameter(beta1, "beta1")
        _beta2 = try Hyperparameter(beta2, "beta2")
    }

    /// Moments of zero.
    public func initialState(for parameters: ParameterVector) -> MomentsState {
        MomentsState(zeros: parameters.layout)
    }

    /// Counts the step and calls `body` with the formula.
    public func withOperation(state: inout MomentsState, layout: TreeLayout, _ body: (MomentOperation) -> Void) {
        state.steps += 1
        var constants = dpk_constants(beta1: beta1, beta2: beta2, steps: state.steps)
        constants.root = Float(noiseStandardDeviation * noiseStandardDeviation)
        constants.epsilon = Float(floor)
        state.withOperation(.two(Kernels.active.adam_corrected), constants, layout: layout, body)
    }
}

extension ScaleByAdamBC: DivisibleTransformation {}

/// Adam with ``ScaleByAdamBC``'s correction and a learning rate.
///
///     let optimizer = try adamBC(learningRate: 1e-3, noiseStandardDeviation: 1.1 * clipNorm / expectedBatchSize)
///
/// The learning rate is a number or a schedule, at least 0. Throws `invalidHyperparameter` if a value lies outside its
/// range.
public func adamBC<Rate: Schedule>(
    learningRate: Rate, noiseStandardDeviation: Double, floor: Double = 1e-8, beta1: Double = 0.9,
    beta2: Double = 0.999
) throws(GradientTransformationError) -> LeadingMomentChain<ScaleByAdamBC, ScaleByLearningRate<Rate>> {
    LeadingMomentChain(
        try ScaleByAdamBC(
            noiseStandardDeviation: noiseStandardDeviation, floor: floor, beta1: beta1, beta2: beta2),
        try ScaleByLearningRate(learningRate))
}
