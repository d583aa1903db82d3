/// A value that is multiplied by a factor at each of some steps.
///
///     f(t) = a ∏ { rᵢ : tᵢ ≤ t }
///
/// As optax's `piecewise_constant_schedule`.
///
///     let rate = try PiecewiseConstantSchedule(from: 0.1, factors: [1000: 0.1, 2000: 0.1])
public struct PiecewiseConstantSchedule: Schedule {
    /// The first value a.
    @Hyperparameter<Finite> public var initialValue: Double

    /// The factors rᵢ ≥ 0 and the steps tᵢ from which on they hold.
    public let factors: [Int: Double]

    /// Throws `invalidHyperparameter` if a factor is negative or a value is not finite.
    public init(from initialValue: Double, factors: [Int: Double]) throws(GradientTransformationError) {
        _initialValue = try Hyperparameter(initialValue, "initialValue")
        for (step, factor) in factors { _ = try Hyperparameter<NonNegative>(factor, "The factor at step \(step)") }
        self.factors = factors
    }

    /// The value at a step.
    public func value(at step: Int) -> Double {
        // In the order of the steps, so that rounding does not depend on the dictionary's.
        factors.sorted { $0.key < $1.key }.reduce(initialValue) { $1.key <= step ? $0 * $1.value : $0 }
    }

    /// The smallest of the pieces.
    public var smallestValue: Double? {
        factors.keys.map(value(at:)).reduce(initialValue, min)
    }
}
