import PyTrees

/// Adam that trusts gradients it expected: ``ScaleByBelief`` and a learning rate.
///
/// The learning rate is a number or a schedule, at least 0; β₁ and β₂ lie in [0, 1), ε > 0, εᵣ ≥ 0. Throws
/// `invalidHyperparameter` otherwise. Source: Zhuang et al., arXiv 2010.07468. As optax's `adabelief`.
///
///     let optimizer = try adabelief(learningRate: 1e-3)
public func adabelief<Rate: Schedule>(
    learningRate: Rate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-16,
    epsilonRoot: Double = 1e-16, nesterov: Bool = false
) throws(GradientTransformationError) -> PlainChain<ScaleByBelief, ScaleByLearningRate<Rate>> {
    PlainChain(
        try ScaleByBelief(beta1: beta1, beta2: beta2, epsilon: epsilon, epsilonRoot: epsilonRoot, nesterov: nesterov),
        try ScaleByLearningRate(learningRate))
}

/// Adam whose second moment changes slowly: ``ScaleByYogi`` and a learning rate.
///
/// The learning rate is a number or a schedule, at least 0; β₁ and β₂ lie in [0, 1), ε > 0. Throws
/// `invalidHyperparameter` otherwise. Source: Zaheer et al., NeurIPS 2018. As optax's `yogi`.
///
///     let optimizer = try yogi(learningRate: 0.01)
public func yogi<Rate: Schedule>(
    learningRate: Rate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-3
) throws(GradientTransformationError) -> LeadingMomentChain<ScaleByYogi, ScaleByLearningRate<Rate>> {
    LeadingMomentChain(
        try ScaleByYogi(beta1: beta1, beta2: beta2, epsilon: epsilon), try ScaleByLearningRate(learningRate))
}

/// Signs of a momentum, with decoupled weight decay.
///
///     u = −η (sign(β₁ m + (1 − β₁) g) + λ x), with the momentum of ``ScaleByLion``
///
/// The learning rate is a number or a schedule, at least 0; β₁ and β₂ lie in [0, 1). λ (`weightDecay`) is at least 0
/// and acts on the leaves that `mask` selects, on all if it is nil. Throws `invalidHyperparameter` otherwise. Source:
/// Chen et al., arXiv 2302.06675. As optax's `lion`.
///
///     let optimizer = try lion(learningRate: 1e-4)
public func lion<Rate: Schedule>(
    learningRate: Rate, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 1e-3, mask: TreeMask? = nil
) throws(GradientTransformationError)
    -> PlainChain<PlainChain<ScaleByLion, AddDecayedWeights>, ScaleByLearningRate<Rate>>
{
    PlainChain(
        PlainChain(try ScaleByLion(beta1: beta1, beta2: beta2), try AddDecayedWeights(weightDecay, mask: mask)),
        try ScaleByLearningRate(learningRate))
}

/// Adam with updates of each leaf in proportion to its parameters: for very large batches.
///
///     u = −η r (m̂ / (√(v̂ + εᵣ) + ε) + λ x), with the moments of ``ScaleByAdam`` and the ratio r of
///     ``ScaleByTrustRatio``
///
/// Ranges as for ``adamw(learningRate:weightDecay:mask:beta1:beta2:epsilon:epsilonRoot:nesterov:)``. Source: You et
/// al., arXiv 1904.00962. As optax's `lamb`.
///
///     let optimizer = try lamb(learningRate: 0.01)
public func lamb<Rate: Schedule>(
    learningRate: Rate, weightDecay: Double = 0, mask: TreeMask? = nil, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-6, epsilonRoot: Double = 0
) throws(GradientTransformationError) -> LAMB<Rate> {
    LAMB(
        LeadingMomentChain(
            LeadingMomentChain(
                try ScaleByAdam(beta1: beta1, beta2: beta2, epsilon: epsilon, epsilonRoot: epsilonRoot),
                try AddDecayedWeights(weightDecay, mask: mask)),
            try ScaleByTrustRatio()),
        try ScaleByLearningRate(learningRate))
}

/// Adam, weight decay, trust ratio and learning rate.
public typealias LAMB<Rate: Schedule> = LeadingMomentChain<
    LeadingMomentChain<LeadingMomentChain<ScaleByAdam, AddDecayedWeights>, ScaleByTrustRatio>,
    ScaleByLearningRate<Rate>
>
