import CommandLineSupport
import Foundation
import PrivateTraining

/// The line on a terminal that says how far training is. It shows nothing that was computed from training data but
/// through the private parameters; the number of examples per second is that of the *expected* batch.
struct TrainingDisplay {
    private let progress: ProgressLine
    private let plan: PrivacyPlan
    /// Which of several runs it is; nil of one.
    private let name: String?
    private let begin = ContinuousClock.now
    private var lastShown = ContinuousClock.now
    private var firstStep: Int?
    private var last: MetricsRecord?

    init(_ progress: ProgressLine, plan: PrivacyPlan, name: String? = nil) {
        self.progress = progress
        self.plan = plan
        self.name = name
    }

    /// Keeps what the line says of accuracy, loss and ε.
    mutating func show(_ record: MetricsRecord) { last = record }

    /// Draws the line, ten times a second at most.
    mutating func show(_ step: Int) {
        let now = ContinuousClock.now
        let first = firstStep ?? step - 1
        firstStep = first
        guard progress.isTerminal, lastShown.duration(to: now) > .milliseconds(100) else { return }
        lastShown = now
        progress.show(parts(step: step, first: first, seconds: begin.duration(to: now) / .seconds(1)))
    }

    /// What the line says, the most wanted first: a narrow terminal shows the first of them.
    private func parts(step: Int, first: Int, seconds: Double) -> [String] {
        let perSecond = Double(step - first) / max(seconds, 1e-9)
        let left = Int((Double(plan.iterations - step) / max(perSecond, 1e-9)).rounded(.up))
        let share = Double(step) / Double(max(1, plan.iterations))
        let width = 20
        let filled = min(width, Int(share * Double(width)))
        let place = "\(step)/\(plan.iterations)"
        var parts = [name.map { "\($0): \(place)" } ?? place, String(format: "%d:%02d left", left / 60, left % 60)]
        if let accuracy = last?.testAccuracy { parts.append("accuracy \(Percent.text(accuracy))") }
        if let error = last?.testRootMeanSquaredError { parts.append("RMSE \(Decimals.text(error))") }
        if let epsilon = last?.epsilon { parts.append("ε \(Epsilon.text(epsilon))") }
        if let loss = last?.testLoss { parts.append(String(format: "loss %.3f", loss)) }
        parts.append(String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled))
        parts.append("\(Int(perSecond * plan.normalizeBy)) examples/s")
        return parts
    }
}
