import PyTrees

/// Multiplies updates by the negative learning rate, the last link of a descent.
///
///     u = −η(t) · g,  t = 0, 1, …
///
/// The learning rate is a number or a schedule, at least 0 and finite. As optax's `scale_by_learning_rate`.
///
///     let link = try ScaleByLearningRate(try linearSchedule(from: 0.1, to: 0, steps: 1000))
public struct ScaleByLearningRate<Rate: Schedule>: ElementwiseTransformation, Hashable {
    /// `scale_by_learning_rate`.
    public static var identifier: String { "scale_by_learning_rate" }

    /// The learning rate η.
    public let learningRate: Rate

    /// Throws `invalidHyperparameter` if the learning rate is, or sinks, below 0, or is not finite.
    public init(_ learningRate: Rate) throws(GradientTransformationError) {
        try learningRate.requireLearningRate()
        self.learningRate = learningRate
    }

    /// No step taken.
    public func initialState(for parameters: ParameterVector) -> StepCount { StepCount() }

    /// Calls `body` with the step's learning rate and counts the step.
    public func withOperation(state: inout StepCount, layout: TreeLayout, _ body: (ScaleOperation) -> Void) {
        let rate = learningRate.value(at: state.steps)
        state.steps += 1
        body(ScaleOperation(factor: Float(-rate)))
    }
}

extension Schedule {
    /// Throws `invalidHyperparameter` unless all values are at least 0 and finite.
    func requireLearningRate() throws(GradientTransformationError) {
        if let value = smallestValue { _ = try Hyperparameter<NonNegative>(value, "learningRate") }
    }
}

extension ScaleByLearningRate: Codable {
    private enum CodingKeys: CodingKey {
        case learningRate
    }

    /// Reads the learning rate; throws if it is out of range.
    public init(from decoder: any Decoder) throws {
        let rate = try decoder.container(keyedBy: CodingKeys.self).decode(Rate.self, forKey: .learningRate)
        do throws(GradientTransformationError) {
            try self.init(rate)
        } catch {
            throw error.decodingError(at: decoder.codingPath)
        }
    }

    /// Writes the learning rate.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(learningRate, forKey: .learningRate)
    }
}

/// Multiplies updates by a number that depends on the step.
///
///     u = f(t) · g,  t = 0, 1, …
///
/// The schedule's values may have any sign. As optax's `scale_by_schedule`.
///
///     let link = ScaleBySchedule(try linearSchedule(from: -0.1, to: 0, steps: 1000))
public struct ScaleBySchedule<Factor: Schedule>: ElementwiseTransformation, Codable, Hashable {
    /// `scale_by_schedule`.
    public static var identifier: String { "scale_by_schedule" }

    /// The schedule f.
    public let factor: Factor

    /// Multiplies by `factor`.
    public init(_ factor: Factor) {
        self.factor = factor
    }

    /// No step taken.
    public func initialState(for parameters: ParameterVector) -> StepCount { StepCount() }

    /// Calls `body` with the step's factor and counts the step.
    public func withOperation(state: inout StepCount, layout: TreeLayout, _ body: (ScaleOperation) -> Void) {
        let value = factor.value(at: state.steps)
        state.steps += 1
        body(ScaleOperation(factor: Float(value)))
    }
}

/// The state of a link that only counts steps.
public struct StepCount: Codable, Hashable, Sendable {
    /// The number of steps taken.
    public var steps = 0
}
