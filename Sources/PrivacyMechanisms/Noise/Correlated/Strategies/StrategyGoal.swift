import Requirements

/// What a strategy is to be good at: a number of steps, who takes part in them, what is made of the noisy gradients,
/// and which of their errors counts.
///
///     {"steps": 1000, "participations": 4, "separation": 250, "objective": "mean"}
public struct StrategyGoal: Hashable, Sendable {
    /// Which error counts.
    public enum Objective: String, Codable, CaseIterable, Sendable {
        /// The mean squared error of all answers.
        case mean
        /// The largest.
        case max
    }

    /// n.
    public let steps: Int
    /// The steps that somebody takes part in.
    public let participation: StrategyParticipation
    /// A.
    public let workload: StrategyWorkload
    /// The error that counts.
    public let objective: Objective

    /// Throws ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` unless `steps` is in 1…2²⁴ and the
    /// participation's numbers are at least 1.
    public init(
        steps: Int, participation: StrategyParticipation = .once, workload: StrategyWorkload = .prefixSums,
        objective: Objective = .mean
    ) throws(PrivacyMechanismError) {
        try participation.check()
        self.steps = try StrategyCheck.steps(steps)
        (self.participation, self.workload, self.objective) = (participation, workload, objective)
    }

    /// √error × sensitivity: the standard deviation of an answer's noise under noise multiplier 1, at the mean or the
    /// largest variance. It compares strategies for one goal, and scaling C does not change it.
    ///
    /// Traps unless the strategy is for as many steps.
    public func rootLoss(of strategy: CorrelationStrategy) -> Double {
        require(
            strategy.steps == steps,
            "The loss of a strategy for \(strategy.steps) steps was asked for a goal of \(steps) steps.")
        let sensitivity = strategy.sensitivity(for: participation, steps: steps)
        let errors = strategy.squaredErrors(on: workload)
        return (objective == .mean ? errors.mean : errors.max).squareRoot() * sensitivity
    }
}

extension StrategyGoal: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case steps, workload, objective
    }

    /// Decodes and checks. The keys of the participation stand beside the others; the workload defaults to prefix sums
    /// and the objective to the mean. Throws ``PrivacyMechanismError`` as making one would, and `DecodingError` for a
    /// key that there is not.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(except: CodingKeys.allCases.map(\.stringValue) + StrategyParticipation.keys)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            steps: container.decode(Int.self, forKey: .steps),
            participation: StrategyParticipation(from: decoder),
            workload: container.decodeIfPresent(StrategyWorkload.self, forKey: .workload) ?? .prefixSums,
            objective: container.decodeChoiceIfPresent(Objective.self, forKey: .objective) ?? .mean)
    }

    /// Writes all of it.
    public func encode(to encoder: any Encoder) throws {
        try participation.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(steps, forKey: .steps)
        try container.encode(workload, forKey: .workload)
        try container.encode(objective, forKey: .objective)
    }
}
