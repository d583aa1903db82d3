/// Half a cosine wave down to a share of the first value.
///
///     f(t) = a ((1 − α) (½ (1 + cos(π τ)))ᵖ + α),  τ = min(t, T) / T
///
/// As optax's `cosine_decay_schedule`. Source: Loshchilov and Hutter, arXiv 1608.03983.
///
///     let rate = try CosineSchedule(from: 0.1, steps: 1000)
public struct CosineSchedule: Schedule {
    /// The first value a.
    @Hyperparameter<Finite> public var initialValue: Double

    /// The last value as a share α of the first.
    @Hyperparameter<Finite> public var finalShare: Double

    /// The power p > 0.
    @Hyperparameter<Positive> public var exponent: Double

    /// The number of steps T ≥ 1.
    @StepNumber<AtLeastOne> public var steps: Int

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        from initialValue: Double, steps: Int, finalShare: Double = 0, exponent: Double = 1
    ) throws(GradientTransformationError) {
        _initialValue = try Hyperparameter(initialValue, "initialValue")
        _finalShare = try Hyperparameter(finalShare, "finalShare")
        _exponent = try Hyperparameter(exponent, "exponent")
        _steps = try StepNumber(steps, "steps")
    }

    /// The value at a step.
    public func value(at step: Int) -> Double {
        let share = 0.5 * (1 + cos(Double.pi * Double(min(step, steps)) / Double(steps)))
        return initialValue * ((1 - finalShare) * (exponent == 1 ? share : pow(share, exponent)) + finalShare)
    }

    /// The smaller of both ends.
    public var smallestValue: Double? { min(initialValue, initialValue * finalShare) }
}

/// A straight line up, and half a cosine wave down. As optax's `warmup_cosine_decay_schedule`.
///
///     let rate = try warmupCosineSchedule(from: 0, peak: 0.1, warmupSteps: 100, steps: 1000)
///
/// `steps` counts the warm-up too and exceeds `warmupSteps`, which is at least 1. Throws `invalidHyperparameter`
/// otherwise.
public func warmupCosineSchedule(
    from initialValue: Double, peak: Double, warmupSteps: Int, steps: Int, to finalValue: Double = 0,
    exponent: Double = 1
) throws(GradientTransformationError) -> JoinedSchedule<PolynomialSchedule, CosineSchedule> {
    guard steps > warmupSteps else {
        throw .invalidHyperparameter(name: "steps", value: Double(steps), allowed: "above warmupSteps, \(warmupSteps)")
    }
    return try JoinedSchedule(
        try linearSchedule(from: initialValue, to: peak, steps: warmupSteps),
        until: warmupSteps,
        then: try CosineSchedule(
            from: peak, steps: steps - warmupSteps, finalShare: peak == 0 ? 0 : finalValue / peak, exponent: exponent))
}
