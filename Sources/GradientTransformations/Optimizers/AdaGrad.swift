import PyTrees

/// Gradients over the root of the sum of all their squares: ``ScaleBySumOfSquares`` and a learning rate.
///
///     v = v + g²,  u = −η g / √(v + ε)
///
/// The learning rate is a number or a schedule, at least 0; ε > 0, and v starts at `initialValue` ≥ 0. Throws
/// `invalidHyperparameter` otherwise. Source: Duchi, Hazan and Singer, JMLR 12, 2011. As optax's `adagrad`.
///
///     let optimizer = try adagrad(learningRate: 0.1)
public func adagrad<Rate: Schedule>(
    learningRate: Rate, initialValue: Double = 0.1, epsilon: Double = 1e-7
) throws(GradientTransformationError) -> LeadingMomentChain<ScaleBySumOfSquares, ScaleByLearningRate<Rate>> {
    LeadingMomentChain(
        try ScaleBySumOfSquares(initialValue: initialValue, epsilon: epsilon), try ScaleByLearningRate(learningRate))
}

/// Updates of the size that past updates had: ``ScaleByAdaDelta`` and a learning rate.
///
///     u = −η g' √(w + ε) / √(v + ε), with the moments of ``ScaleByAdaDelta`` for g' = g + λ x
///
/// The learning rate is a number or a schedule, at least 0; ρ (`decay`) lies in [0, 1), ε > 0. λ (`weightDecay`) is at
/// least 0 and acts on the leaves that `mask` selects, on all if it is nil. Throws `invalidHyperparameter` otherwise.
/// Source: Zeiler, arXiv 1212.5701. As optax's `adadelta`.
///
///     let optimizer = try adadelta(learningRate: 1.0)
public func adadelta<Rate: Schedule>(
    learningRate: Rate, decay: Double = 0.9, epsilon: Double = 1e-6, weightDecay: Double = 0, mask: TreeMask? = nil
) throws(GradientTransformationError)
    -> LeadingMomentChain<TrailingMomentChain<AddDecayedWeights, ScaleByAdaDelta>, ScaleByLearningRate<Rate>>
{
    LeadingMomentChain(
        TrailingMomentChain(
            try AddDecayedWeights(weightDecay, mask: mask), try ScaleByAdaDelta(decay: decay, epsilon: epsilon)),
        try ScaleByLearningRate(learningRate))
}
