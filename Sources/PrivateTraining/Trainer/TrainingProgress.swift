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
    /// What every example is normalised by before the model sees it, as the plan's ``PrivateNormalization`` released
    /// it; nil for nothing. Private, as the parameters are.
    public let normalization: ChannelNormalization?
    /// The number of steps taken.
    public let stepsTaken: Int
    /// The evaluation of the parameters on other examples; nil if there are none.
    public let evaluation: Evaluation?
    /// What is promised to the people in the data.
    public let report: PrivacyReport
    /// How the time was spent.
    public let time: TrainingTime
}

extension TrainingOutcome: CustomStringConvertible {
    /// Steps, ε, the evaluation, the time, and the parameters' shapes with a few values. The promise in full is
    /// ``PrivacyReport/text``.
    public var description: String {
        var lines = ["\(stepsTaken) of \(report.plannedSteps) steps"]
        if let guarantee = report.guarantees.first {
            let epsilon = guarantee.epsilon.map { "ε = \($0)" } ?? "no bound on ε"
            lines[0] += ", \(epsilon) at δ = \(guarantee.delta) by \(guarantee.accountant)"
        }
        if report.isSeeded { lines[0] += ", SEEDED: not private against anyone who knows the seed" }
        if let evaluation {
            let accuracy = evaluation.accuracy.map { "accuracy \($0), " } ?? ""
            lines.append("\(accuracy)loss \(evaluation.loss) on \(evaluation.exampleCount) other examples")
        }
        func tenths(_ seconds: Double) -> Double { (10 * seconds).rounded() / 10 }
        lines.append(
            "\(tenths(time.steps)) s in steps, \(tenths(time.evaluation)) s in evaluations, "
                + "\(tenths(time.checkpoints)) s in checkpoints")
        if let vector = try? parameters.flattened() { lines.append(vector.description) }
        return lines.joined(separator: "\n")
    }
}
