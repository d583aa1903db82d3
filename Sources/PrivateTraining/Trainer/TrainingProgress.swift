import Logging
import PrivacyAccounting
import PyTrees

/// Where a run is after a step. Nothing in it was computed from training data but through the private parameters.
public struct TrainingProgress: Sendable {
    /// The number of steps taken, 1, 2, …
    public let step: Int
    /// The plan of the run.
    public let plan: PrivacyPlan
    /// The evaluation after this step; nil if none was due.
    public let evaluation: Evaluation?
    /// Whether this step is one of those that are told of.
    public let isReportDue: Bool

    /// What the steps so far have cost. Takes the accountant some milliseconds.
    public func epsilonSpent() throws(AccountingError) -> Double {
        try plan.epsilon(afterIterations: step)
    }

    func log(to logger: Logger) throws {
        var metadata: Logger.Metadata = [
            "step": "\(step)", "steps": "\(plan.iterations)", "epsilon": "\(try epsilonSpent())",
        ]
        if let evaluation {
            metadata["loss"] = "\(evaluation.loss)"
            if let accuracy = evaluation.accuracy { metadata["accuracy"] = "\(accuracy)" }
        }
        logger.info("private training", metadata: metadata)
    }
}

/// Whether training goes on.
public enum TrainingDirective: Sendable {
    /// It does.
    case proceed
    /// It ends after this step, with a checkpoint, and with what was spent so far.
    case stop
}

/// What training came to.
public struct TrainingOutcome<Parameters: ParameterStructure & Sendable>: Sendable {
    /// The parameters, or their average if one was asked for: what the model says that they are, a struct or a vector.
    public let parameters: Parameters
    /// How many steps of the plan were taken.
    public let stepsTaken: Int
    /// How good the parameters are on the other examples; nil if there are none.
    public let evaluation: Evaluation?
    /// What is promised to the people in the data.
    public let report: PrivacyReport
}
