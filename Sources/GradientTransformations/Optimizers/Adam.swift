import PyTrees

/// Adam: ``ScaleByAdam`` and a learning rate.
public typealias Adam<Rate: Schedule> = LeadingMomentChain<ScaleByAdam, ScaleByLearningRate<Rate>>

/// Adam with decoupled weight decay.
public typealias AdamW<Rate: Schedule> = LeadingMomentChain<
    LeadingMomentChain<ScaleByAdam, AddDecayedWeights>, ScaleByLearningRate<Rate>
>

/// Adam: the running mean of gradients over the root of the running mean of their squares.
///
///     u = −η m̂ / (√(v̂ + εᵣ) + ε), with the moments of ``ScaleByAdam``
///
/// The learning rate is a number or a schedule, at least 0; β₁ and β₂ lie in [0, 1), ε > 0, εᵣ ≥ 0. Throws
/// `invalidHyperparameter` otherwise. Source: Kingma and Ba, arXiv 1412.6980. As optax's `adam`.
///
///     let optimizer = try adam(learningRate: 1e-3)
public func adam<Rate: Schedule>(
    learningRate: Rate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, epsilonRoot: Double = 0
) throws(GradientTransformationError) -> Adam<Rate> {
    Adam(
        try ScaleByAdam(beta1: beta1, beta2: beta2, epsilon: epsilon, epsilonRoot: epsilonRoot),
        try ScaleByLearningRate(learningRate))
}

/// Adam with Nesterov momentum.
///
///     u = −η m̂ / (√(v̂ + εᵣ) + ε), with the moments of ``ScaleByAdam`` and `nesterov`
///
/// Ranges as for ``adam(learningRate:beta1:beta2:epsilon:epsilonRoot:)``. Source: Dozat, "Incorporating Nesterov
/// Momentum into Adam", 2016. As optax's `nadam`.
///
///     let optimizer = try nadam(learningRate: 1e-3)
public func nadam<Rate: Schedule>(
    learningRate: Rate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, epsilonRoot: Double = 0
) throws(GradientTransformationError) -> Adam<Rate> {
    Adam(
        try ScaleByAdam(beta1: beta1, beta2: beta2, epsilon: epsilon, epsilonRoot: epsilonRoot, nesterov: true),
        try ScaleByLearningRate(learningRate))
}

/// Adam with decoupled weight decay.
///
///     u = −η (m̂ / (√(v̂ + εᵣ) + ε) + λ x), with the moments of ``ScaleByAdam``
///
/// λ is at least 0 and acts on the leaves that `mask` selects, on all if it is nil; other ranges as for
/// ``adam(learningRate:beta1:beta2:epsilon:epsilonRoot:)``. Source: Loshchilov and Hutter, arXiv 1711.05101. As
/// optax's `adamw`.
///
///     let optimizer = try adamw(learningRate: 1e-3, weightDecay: 0.01)
public func adamw<Rate: Schedule>(
    learningRate: Rate, weightDecay: Double = 1e-4, mask: TreeMask? = nil, beta1: Double = 0.9,
    beta2: Double = 0.999, epsilon: Double = 1e-8, epsilonRoot: Double = 0, nesterov: Bool = false
) throws(GradientTransformationError) -> AdamW<Rate> {
    AdamW(
        LeadingMomentChain(
            try ScaleByAdam(
                beta1: beta1, beta2: beta2, epsilon: epsilon, epsilonRoot: epsilonRoot, nesterov: nesterov),
            try AddDecayedWeights(weightDecay, mask: mask)),
        try ScaleByLearningRate(learningRate))
}

/// Adam whose second moment never sinks: ``ScaleByAMSGrad`` and a learning rate.
///
/// Ranges as for ``adam(learningRate:beta1:beta2:epsilon:epsilonRoot:)``. Source: Reddi, Kale and Kumar, arXiv
/// 1904.09237. As optax's `amsgrad`.
///
///     let optimizer = try amsgrad(learningRate: 1e-3)
public func amsgrad<Rate: Schedule>(
    learningRate: Rate, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, epsilonRoot: Double = 0
) throws(GradientTransformationError) -> LeadingMomentChain<ScaleByAMSGrad, ScaleByLearningRate<Rate>> {
    LeadingMomentChain(
        try ScaleByAMSGrad(beta1: beta1, beta2: beta2, epsilon: epsilon, epsilonRoot: epsilonRoot),
        try ScaleByLearningRate(learningRate))
}
