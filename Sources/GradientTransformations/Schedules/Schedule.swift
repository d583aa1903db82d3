/// A number that depends on the step: a learning rate, most often.
///
/// A plain number is the schedule that never changes.
public protocol Schedule: Codable, Hashable, Sendable {
    /// The value at a step; steps count from 0.
    func value(at step: Int) -> Double

    /// The smallest value that any step has; nil if nobody knows. Learning rates are checked by it.
    var smallestValue: Double? { get }
}

extension Schedule {
    /// Not known.
    public var smallestValue: Double? { nil }
}

extension Double: Schedule {
    /// The number itself.
    public func value(at step: Int) -> Double { self }

    /// The number itself.
    public var smallestValue: Double? { self }
}
