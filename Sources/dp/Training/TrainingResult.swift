import CommandLineSupport
import Foundation
import PrivateTraining

/// What a run came to.
struct TrainingResult {
    let record: Record
    /// The report for people.
    let report: String

    /// What stands in result.json, and in the last line of `--format json`.
    struct Record: Codable {
        var testAccuracy: Double?
        var testLoss: Double?
        /// In the units of the data's file.
        var testRootMeanSquaredError: Double?
        var testRSquared: Double?
        /// Of the steps taken; infinite without noise.
        var epsilon: Double
        /// Of all planned steps: what holds if results decided when to stop.
        var plannedEpsilon: Double
        var delta: Double
        var noiseMultiplier: Double
        var steps: Int
        var plannedSteps: Int
        var isFinished: Bool
        var seconds: Double
        var secondsInSteps: Double
        var secondsInEvaluations: Double
        var secondsInCheckpoints: Double
        /// The run's folder; nil in the folder itself, which may be moved.
        var output: String?
    }

    /// Prints the report, and below it what the reader came for.
    func show(as format: OutputFormat, output: String?) throws {
        var record = record
        record.output = output
        if format == .json { return try printJSONLine(record) }
        let terminal = Terminal.output
        var lines = [report, ""]
        if let accuracy = record.testAccuracy {
            lines.append("test accuracy  " + terminal.bold(Percent.text(accuracy)))
        }
        if let error = record.testRootMeanSquaredError {
            lines.append("test RMSE      " + terminal.bold(Decimals.text(error)))
        }
        if let share = record.testRSquared { lines.append("test R²        \(Decimals.text(share))") }
        if let loss = record.testLoss { lines.append("test loss      \(String(format: "%.4f", loss))") }
        lines.append("privacy        ε = \(Epsilon.text(record.epsilon)) at δ = \(record.delta)")
        lines.append("steps          \(record.steps) of \(record.plannedSteps)")
        lines.append(
            String(
                format: "seconds        %.1f: %.1f in steps, %.1f in evaluations, %.1f in checkpoints", record.seconds,
                record.secondsInSteps, record.secondsInEvaluations, record.secondsInCheckpoints))
        lines.append("written to     \(output ?? "nothing: give --output to keep the model")")
        if !record.isFinished {
            lines.append(
                output == nil
                    ? "Stopped, and not kept." : "Stopped; 'dp train --resume --output \(output ?? "")' goes on.")
        }
        print(wrapped(lines.joined(separator: "\n"), columns: terminal.columns))
    }
}

/// Shares as people read them.
enum Percent {
    static func text(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
}

/// Numbers of any size as people read them.
enum Decimals {
    static func text(_ number: Double) -> String { String(format: "%.4g", number) }
}
