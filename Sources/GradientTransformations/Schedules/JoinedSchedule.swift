/// One schedule until a step, and another one from there on, which counts its steps anew.
///
///     f(t) = first(t) for t < boundary, otherwise second(t − boundary)
///
/// As optax's `join_schedules`; join three by joining the third to two.
///
///     let rate = try JoinedSchedule(
///         try linearSchedule(from: 0, to: 0.1, steps: 100), until: 100, then: 0.1)
public struct JoinedSchedule<First: Schedule, Second: Schedule>: Schedule {
    /// The schedule before the boundary.
    public let first: First

    /// The first step of the second schedule, at least 0.
    @StepNumber<AtLeastZero> public var boundary: Int

    /// The schedule from the boundary on.
    public let second: Second

    /// Throws `invalidHyperparameter` if `boundary` is negative.
    public init(_ first: First, until boundary: Int, then second: Second) throws(GradientTransformationError) {
        self.first = first
        self.second = second
        _boundary = try StepNumber(boundary, "boundary")
    }

    /// The value at a step.
    public func value(at step: Int) -> Double {
        step < boundary ? first.value(at: step) : second.value(at: step - boundary)
    }

    /// The smaller of both; nil if one of them is not known.
    public var smallestValue: Double? {
        guard let first = first.smallestValue, let second = second.smallestValue else { return nil }
        return min(first, second)
    }
}
