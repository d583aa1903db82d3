import Foundation
import Logging
import PrivacyAccounting
import PyTrees

/// The state of a run after a step. It depends on the training data through the private parameters only.
public struct TrainingProgress: Sendable {
    /// The number of steps taken, 1, 2, …
    public let step: Int
    /// The plan of the run.
    public let plan: PrivacyPlan
    /// The evaluation after this step; nil if none was due.
    public let evaluation: Evaluation?
    /// Whether this step is reported.
    public let isReportDue: Bool

    /// ε of the steps so far. Takes the accountant some milliseconds.
    public func epsilonSpent() throws(AccountingError) -> Double {
        try plan.epsilon(afterIterations: step)
    }

    func log(to logger: Logger) throws {
        var metadata: Logger.Metadata = [
            "step": "\(step)", "steps": "\(plan.iterations)", "epsilon": "\(Self.brief(try epsilonSpent(), up: true))",
        ]
        if let evaluation {
            metadata["loss"] = "\(Self.brief(evaluation.loss))"
            if let accuracy = evaluation.accuracy { metadata["accuracy"] = "\(Self.brief(accuracy))" }
        }
        logger.info("private training", metadata: metadata)
    }

    /// Four digits behind the point: a log is read, and files hold all digits. With `up` never less than the value.
    private static func brief(_ value: Double, up: Bool = false) -> String {
        guard value.isFinite, value.magnitude < 1e9 else { return "\(value)" }
        return String(format: "%.4f", up ? (value * 1e4).rounded(.up) / 1e4 : value)
    }
}

/// Whether training goes on.
public enum TrainingDirective: Sendable {
    /// Training goes on.
    case proceed
    /// Training ends after this step, with a checkpoint, and with the ε spent so far.
    case stop
}

/// The result of training.
public struct TrainingOutcome<Parameters: ParameterStructure & Sendable>: Sendable {
    /// The parameters, or their average if one was asked for: of the model's type, a struct or a vector.
    public let parameters: Parameters
    /// The number of steps taken.
    public let stepsTaken: Int
    /// The evaluation of the parameters on other examples; nil if there are none.
    public let evaluation: Evaluation?
    /// What is promised to the people in the data.
    public let report: PrivacyReport
}
