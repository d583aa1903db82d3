import PyTrees

/// Adafactor: factored second moments, bounded updates and relative learning rates.
public typealias Adafactor<Rate: Schedule> = LeadingMomentChain<
    LeadingMomentChain<RelativeFactoredRMS<Rate>, AddDecayedWeights>, Scale
>

/// Adafactor with a running mean of its updates.
public typealias AdafactorWithMomentum<Rate: Schedule> = LeadingMomentChain<
    LeadingMomentChain<LeadingMomentChain<RelativeFactoredRMS<Rate>, EMA>, AddDecayedWeights>, Scale
>

/// What all of Adafactor's variants begin with: the scaled gradient, clipped, times learning rate and parameters' size.
public typealias RelativeFactoredRMS<Rate: Schedule> = LeadingMomentChain<
    LeadingMomentChain<LeadingMomentChain<ScaleByFactoredRMS, ClipByBlockRMS>, ScaleBySchedule<Rate>>,
    ScaleByParameterBlockRMS
>

/// Adafactor: gradients over the root of a factored second moment, for large models and relative learning rates.
///
///     w = g / √v̂, with the moments of ``ScaleByFactoredRMS``
///     u = −(η · max(rms(x), 10⁻³) · w / max(1, rms(w) / d) + λ x) for each leaf
///
/// The learning rate is a number or a schedule, at least 0; without `multiplyByParameterScale` the factor
/// max(rms(x), 10⁻³) is left out. A leaf is factored if its two longest axes have `minimumFactoredSide` ≥ 1 elements or
/// more. c (`decayExponent`) lies in [0, 1), ε > 0, and d (`clippingThreshold`) is above 0 and finite. λ
/// (`weightDecay`), which the learning rate does not multiply, is at least 0 and acts on the leaves that `mask`
/// selects, on all if it is nil. Throws `invalidHyperparameter` otherwise. Source: Shazeer and Stern, arXiv 1804.04235.
/// As optax's `adafactor`.
///
///     let optimizer = try adafactor(learningRate: 0.01)
public func adafactor<Rate: Schedule>(
    learningRate: Rate, minimumFactoredSide: Int = 128, decayExponent: Double = 0.8, clippingThreshold: Double = 1,
    multiplyByParameterScale: Bool = true, weightDecay: Double = 0, mask: TreeMask? = nil, epsilon: Double = 1e-30
) throws(GradientTransformationError) -> Adafactor<Rate> {
    Adafactor(
        LeadingMomentChain(
            try relativeFactoredRMS(
                learningRate, minimumFactoredSide, decayExponent, clippingThreshold, multiplyByParameterScale, epsilon),
            try AddDecayedWeights(weightDecay, mask: mask)),
        try Scale(-1))
}

/// Adafactor with momentum: ``EMA`` without bias correction of what the learning rate has multiplied.
///
/// μ (`momentum`) lies in [0, 1); other ranges as without it. As optax's `adafactor`.
///
///     let optimizer = try adafactor(learningRate: 0.01, momentum: 0.9)
public func adafactor<Rate: Schedule>(
    learningRate: Rate, minimumFactoredSide: Int = 128, decayExponent: Double = 0.8, clippingThreshold: Double = 1,
    multiplyByParameterScale: Bool = true, momentum: Double, weightDecay: Double = 0, mask: TreeMask? = nil,
    epsilon: Double = 1e-30
) throws(GradientTransformationError) -> AdafactorWithMomentum<Rate> {
    AdafactorWithMomentum(
        LeadingMomentChain(
            LeadingMomentChain(
                try relativeFactoredRMS(
                    learningRate, minimumFactoredSide, decayExponent, clippingThreshold, multiplyByParameterScale,
                    epsilon),
                try EMA(decay: momentum, debias: false)),
            try AddDecayedWeights(weightDecay, mask: mask)),
        try Scale(-1))
}

private func relativeFactoredRMS<Rate: Schedule>(
    _ learningRate: Rate, _ minimumFactoredSide: Int, _ decayExponent: Double, _ clippingThreshold: Double,
    _ multiplyByParameterScale: Bool, _ epsilon: Double
) throws(GradientTransformationError) -> RelativeFactoredRMS<Rate> {
    try learningRate.requireLearningRate()
    return RelativeFactoredRMS(
        LeadingMomentChain(
            LeadingMomentChain(
                try ScaleByFactoredRMS(
                    minimumFactoredSide: minimumFactoredSide, decayExponent: decayExponent, epsilon: epsilon),
                try ClipByBlockRMS(clippingThreshold)),
            ScaleBySchedule(learningRate)),
        try ScaleByParameterBlockRMS(isOn: multiplyByParameterScale))
}
