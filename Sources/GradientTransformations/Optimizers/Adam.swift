/// Adam: ``ScaleByAdam`` and a learning rate.
public typealias Adam<Rate: Schedule> = LeadingMomentChain<ScaleByAdam, ScaleByLearningRate<Rate>>

/// Adam (arXiv 1412.6980): the running mean of gradients over the root of the running mean of their squares.
///
///     u = −η m̂ / (√(v̂ + εᵣ) + ε)
///
/// The learning rate is a number or a schedule, at least 0; β₁ and β₂ lie in [0, 1), ε > 0, εᵣ ≥ 0. Throws
/// `invalidHyperparameter` otherwise. As optax's `adam`.
///
///     let optimizer = try adam(learningRate: 1e-3)
public func adam<Rate: Schedule>(
    learningRate: Rate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, epsilonRoot: Double = 0
) throws(GradientTransformationError) -> Adam<Rate> {
    Adam(
        try ScaleByAdam(beta1: beta1, beta2: beta2, epsilon: epsilon, epsilonRoot: epsilonRoot),
        try ScaleByLearningRate(learningRate))
}
