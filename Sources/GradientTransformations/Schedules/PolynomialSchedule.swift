/// A polynomial from one value to another.
///
///     f(t) = (a − b) (1 − τ)ᵖ + b,  τ = min(max(t − t₀, 0), T) / T
///
/// From a at step t₀ to b at step t₀ + T, and constant outside. As optax's `polynomial_schedule`.
///
///     let rate = try PolynomialSchedule(from: 0.1, to: 0.01, power: 2, steps: 1000)
public struct PolynomialSchedule: Schedule {
    /// The value a before the transition.
    @Hyperparameter<Finite> public var initialValue: Double

    /// The value b after the transition.
    @Hyperparameter<Finite> public var finalValue: Double

    /// The power p > 0.
    @Hyperparameter<Positive> public var power: Double

    /// The number of steps T ≥ 1 that the transition takes.
    @StepNumber<AtLeastOne> public var steps: Int

    /// The step t₀ ≥ 0 at which the transition begins.
    @StepNumber<AtLeastZero> public var begin: Int

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        from initialValue: Double, to finalValue: Double, power: Double, steps: Int, begin: Int = 0
    ) throws(GradientTransformationError) {
        _initialValue = try Hyperparameter(initialValue, "initialValue")
        _finalValue = try Hyperparameter(finalValue, "finalValue")
        _power = try Hyperparameter(power, "power")
        _steps = try StepNumber(steps, "steps")
        _begin = try StepNumber(begin, "begin")
    }

    /// The value at a step.
    public func value(at step: Int) -> Double {
        let elapsed = min(max(step - begin, 0), steps)
        let rest = 1 - Double(elapsed) / Double(steps)
        return (initialValue - finalValue) * (power == 1 ? rest : pow(rest, power)) + finalValue
    }

    /// The smaller of both ends.
    public var smallestValue: Double? { min(initialValue, finalValue) }
}

/// A straight line from one value to another. As optax's `linear_schedule`.
///
///     let rate = try linearSchedule(from: 0.1, to: 0, steps: 1000)
///
/// `steps` is at least 1, and `begin`, the step at which the line begins, at least 0; throws `invalidHyperparameter`
/// otherwise.
public func linearSchedule(
    from initialValue: Double, to finalValue: Double, steps: Int, begin: Int = 0
) throws(GradientTransformationError) -> PolynomialSchedule {
    try PolynomialSchedule(from: initialValue, to: finalValue, power: 1, steps: steps, begin: begin)
}
