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
