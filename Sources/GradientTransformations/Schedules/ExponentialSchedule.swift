/// Exponential decay, smooth or in a staircase.
///
///     f(t) = a rᵏ,  k = (t − t₀) / T, or its integer part with `staircase`;  f(t) = a for t ≤ t₀
///
/// A bound keeps the value from passing it: from below for r < 1, otherwise from above. As optax's `exponential_decay`.
///
///     let rate = try ExponentialSchedule(from: 0.1, rate: 0.5, steps: 1000, staircase: true)
public struct ExponentialSchedule: Schedule {
    /// The first value a.
    @Hyperparameter<Finite> public var initialValue: Double

    /// The rate r > 0.
    @Hyperparameter<Positive> public var rate: Double

    /// In how many steps T ≥ 1 the value is multiplied by the rate.
    @StepNumber<AtLeastOne> public var steps: Int

    /// The step t₀ ≥ 0 at which the decay begins.
    @StepNumber<AtLeastZero> public var begin: Int

    /// Whether the value changes every `steps` steps only.
    public let staircase: Bool

    /// What the value does not pass; nil if it may go on for ever.
    public let bound: Double?

    /// Throws `invalidHyperparameter` if a value lies outside its range.
    public init(
        from initialValue: Double, rate: Double, steps: Int, begin: Int = 0, staircase: Bool = false,
        bound: Double? = nil
    ) throws(GradientTransformationError) {
        _initialValue = try Hyperparameter(initialValue, "initialValue")
        _rate = try Hyperparameter(rate, "rate")
        _steps = try StepNumber(steps, "steps")
        _begin = try StepNumber(begin, "begin")
        if let bound { _ = try Hyperparameter<Finite>(bound, "bound") }
        self.staircase = staircase
        self.bound = bound
    }

    /// The value at a step.
    public func value(at step: Int) -> Double {
        let exponent = Double(step - begin) / Double(steps)
        let decayed =
            step <= begin ? initialValue : initialValue * pow(rate, staircase ? exponent.rounded(.down) : exponent)
        guard let bound else { return decayed }
        return rate < 1 ? max(decayed, bound) : min(decayed, bound)
    }

    /// A bound below all values: what they tend to.
    public var smallestValue: Double? {
        if rate < 1 {
            // Towards 0 from either side, and not below the bound.
            let smallest = min(initialValue, 0)
            return bound.map { max($0, smallest) } ?? smallest
        }
        let smallest = initialValue < 0 ? -.infinity : initialValue
        return bound.map { min($0, smallest) } ?? smallest
    }
}
