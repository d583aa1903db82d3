import CommandLineSupport
import Foundation
import PrivateTraining

/// What is told before the first step: what is going to be trained, what was chosen and why, what noise means for it,
/// and what makes the plan a doubtful one. All of it comes from public numbers.
struct TrainingBriefing {
    let configuration: TrainingConfiguration
    let plan: PrivacyPlan
    let exampleCount: Int
    /// Nil where numbers are to be predicted.
    let classCount: Int?
    /// Nil where there is nothing to test on.
    let testCount: Int?
    let parameterCount: Int
    let choices: [TrainingDefaults.Choice]
    /// What is said first; nil for what is trained and tested on.
    var opening: String?

    /// Prints everything for people; warnings alone, on standard error, where programs read.
    func show(as format: OutputFormat) {
        for warning in plan.warnings(parameterCount: parameterCount) { warn("\(warning)") }
        guard format == .table else { return }
        let columns = Terminal.output.columns
        print(wrapped((lines + [""]).joined(separator: "\n"), columns: columns))
    }

    var lines: [String] {
        var lines = [
            opening ?? usualOpening, "",
            line("model", "\(configuration.modelName), \(grouped(parameterCount)) parameters"),
            line("optimizer", optimizerText),
            line("steps", "\(plan.iterations), of \(contributions) on average"),
            line("privacy", privacyText), line("noise", noiseText),
        ]
        if let strategy = StrategyReport(of: plan) {
            lines += ["", "Noise is correlated over steps:"]
            lines += strategy.lines(parameterCount: parameterCount).map { line($0.name, $0.value, width: 22) }
        }
        if !choices.isEmpty {
            let isOpen = configuration.data.takesOpenRangesFromDataWithoutPrivacy == true
            lines += [
                "", isOpen ? "Chosen, from what was taken from the data too:" : "Chosen, from public numbers alone:",
            ]
            lines += choices.map { line($0.name, "\($0.value) (\($0.reason))") }
        }
        return lines
    }

    private var usualOpening: String {
        let classes = classCount.map { " of \($0) classes" } ?? ""
        let tests = testCount.map { ", \(grouped($0)) to test on" } ?? ", none to test on"
        return "Training on \(grouped(exampleCount)) examples\(classes)\(owners)\(tests)."
    }

    private var owners: String { plan.unit == .user ? ", of \(grouped(plan.unitCount)) users" : "" }

    /// What a step sums.
    private var contributions: String {
        let count = Int(plan.normalizeBy.rounded())
        guard let users = plan.sampling.users else { return "\(count) examples" }
        return "\(count) users"
            + (users.examplesPerUser == 1
                ? ", one example of each," : ", up to \(users.examplesPerUser) examples of each,")
    }

    private var optimizerText: String {
        guard let optimizer = configuration.optimizer else { return "" }
        let scaled = optimizer.scaleThenPrivatize == nil ? "" : ", scale-then-privatize"
        let momentum = optimizer.hyperparameters.momentum.map { ", momentum \($0)" } ?? ""
        return optimizer.name.rawValue + momentum + scaled + (peakRate.map { String(format: ", rate %g", $0) } ?? "")
    }

    private var peakRate: Double? { configuration.optimizer?.learningRate?.value }

    private var privacyText: String {
        let epsilon = plan.epsilonBudget ?? (try? plan.epsilon()) ?? .infinity
        return "each \(plan.unit.rawValue), ε = \(Epsilon.text(epsilon)) at "
            + "δ = \(plan.delta), noise multiplier \(String(format: "%.4g", plan.noiseMultiplier))"
    }

    /// The noise of one step, and how far noise alone moves a parameter at the chosen rate.
    private var noiseText: String {
        guard plan.noiseMultiplier > 0 else { return "none" }
        let deviation = plan.noiseDeviationOfMean
        let ratio = plan.noiseToSignalRatio(parameterCount: parameterCount)
        let formula = plan.noise.correlation == nil ? "zC/N" : "z‖C‖C/N"
        var text = "\(formula) = \(String(format: "%.2g", deviation)) on each coordinate of a mean gradient"
        if let rate = peakRate, let drift = drift(rate: rate, deviation: deviation) {
            text += String(format: "; at this rate it moves a parameter by some %.2g over the run", drift)
        }
        return text + String(format: "; noise to signal %.2g (0.1 trains well, 1 not at all)", ratio)
    }

    /// The deviation of a parameter that noise alone moves over all steps; nil where an update's length is not the
    /// gradient's.
    private func drift(rate: Double, deviation: Double) -> Double? {
        guard let optimizer = configuration.optimizer, optimizer.name == .sgd else { return nil }
        let effective = rate / (1 - (optimizer.hyperparameters.momentum ?? 0))
        return effective * deviation * (plan.iterations == 0 ? 0 : plan.noiseGrowth)
    }

    private func line(_ name: String, _ text: String, width: Int = 11) -> String {
        "  \(name.padding(toLength: width, withPad: " ", startingAt: 0))\(text)"
    }
}

/// A whole number as people read it: 1,437.
func grouped(_ number: Int) -> String {
    var digits = Array(String(number))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return String(digits)
}
