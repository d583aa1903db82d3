/// Stochastic gradient descent.
///
///     u = −η g
///
/// The learning rate is a number or a schedule, at least 0; throws `invalidHyperparameter` otherwise. As optax's `sgd`.
///
///     let optimizer = try sgd(learningRate: 0.1)
public func sgd<Rate: Schedule>(
    learningRate: Rate
) throws(GradientTransformationError) -> ScaleByLearningRate<Rate> {
    try ScaleByLearningRate(learningRate)
}

/// Stochastic gradient descent with momentum: ``Trace`` and a learning rate.
///
///     m = μ m + g,  u = −η m, or −η (g + μ m) with `nesterov`
///
/// The learning rate is a number or a schedule, at least 0, and μ lies in [0, 1). Throws `invalidHyperparameter`
/// otherwise. As optax's `sgd`.
///
///     let optimizer = try sgd(learningRate: 0.1, momentum: 0.9)
public func sgd<Rate: Schedule>(
    learningRate: Rate, momentum: Double, nesterov: Bool = false
) throws(GradientTransformationError) -> PlainChain<Trace, ScaleByLearningRate<Rate>> {
    PlainChain(try Trace(decay: momentum, nesterov: nesterov), try ScaleByLearningRate(learningRate))
}
