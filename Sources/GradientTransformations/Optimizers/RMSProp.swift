/// Gradients over the root of the running mean of their squares: ``ScaleByRMS`` and a learning rate.
///
///     u = −η g / √(v + ε), with the moment of ``ScaleByRMS``
///
/// The learning rate is a number or a schedule, at least 0; ρ (`decay`) lies in [0, 1), ε > 0, and v starts at
/// `initialValue` ≥ 0. Throws `invalidHyperparameter` otherwise. Source: Tieleman and Hinton, "Lecture 6.5 — RMSProp",
/// 2012. As optax's `rmsprop`.
///
///     let optimizer = try rmsprop(learningRate: 0.01)
public func rmsprop<Rate: Schedule>(
    learningRate: Rate, decay: Double = 0.9, epsilon: Double = 1e-8, initialValue: Double = 0
) throws(GradientTransformationError) -> LeadingMomentChain<ScaleByRMS, ScaleByLearningRate<Rate>> {
    LeadingMomentChain(
        try ScaleByRMS(decay: decay, epsilon: epsilon, initialValue: initialValue),
        try ScaleByLearningRate(learningRate))
}

/// ``rmsprop(learningRate:decay:epsilon:initialValue:)`` with momentum: ``Trace`` after the learning rate.
///
/// μ (`momentum`) lies in [0, 1). As optax's `rmsprop`.
///
///     let optimizer = try rmsprop(learningRate: 0.01, momentum: 0.9)
public func rmsprop<Rate: Schedule>(
    learningRate: Rate, decay: Double = 0.9, epsilon: Double = 1e-8, initialValue: Double = 0, momentum: Double,
    nesterov: Bool = false
) throws(GradientTransformationError)
    -> LeadingMomentChain<LeadingMomentChain<ScaleByRMS, ScaleByLearningRate<Rate>>, Trace>
{
    LeadingMomentChain(
        try rmsprop(learningRate: learningRate, decay: decay, epsilon: epsilon, initialValue: initialValue),
        try Trace(decay: momentum, nesterov: nesterov))
}

/// Gradients over the root of the running estimate of their variance: ``ScaleByCenteredRMS`` and a learning rate.
///
///     u = −η g / √(v − m² + ε), with the moments of ``ScaleByCenteredRMS``
///
/// Ranges as for ``rmsprop(learningRate:decay:epsilon:initialValue:)``. Source: Graves, arXiv 1308.0850. As optax's
/// `rmsprop` with `centered`.
///
///     let optimizer = try centeredRmsprop(learningRate: 0.01)
public func centeredRmsprop<Rate: Schedule>(
    learningRate: Rate, decay: Double = 0.9, epsilon: Double = 1e-8, initialValue: Double = 0
) throws(GradientTransformationError) -> LeadingMomentChain<ScaleByCenteredRMS, ScaleByLearningRate<Rate>> {
    LeadingMomentChain(
        try ScaleByCenteredRMS(decay: decay, epsilon: epsilon, initialValue: initialValue),
        try ScaleByLearningRate(learningRate))
}

/// ``centeredRmsprop(learningRate:decay:epsilon:initialValue:)`` with momentum: ``Trace`` after the learning rate.
///
/// μ (`momentum`) lies in [0, 1). As optax's `rmsprop` with `centered`.
///
///     let optimizer = try centeredRmsprop(learningRate: 0.01, momentum: 0.9)
public func centeredRmsprop<Rate: Schedule>(
    learningRate: Rate, decay: Double = 0.9, epsilon: Double = 1e-8, initialValue: Double = 0, momentum: Double,
    nesterov: Bool = false
) throws(GradientTransformationError)
    -> LeadingMomentChain<LeadingMomentChain<ScaleByCenteredRMS, ScaleByLearningRate<Rate>>, Trace>
{
    LeadingMomentChain(
        try centeredRmsprop(learningRate: learningRate, decay: decay, epsilon: epsilon, initialValue: initialValue),
        try Trace(decay: momentum, nesterov: nesterov))
}
