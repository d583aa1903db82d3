import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAccounting
import PrivateTraining
import Requirements

struct EpsilonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epsilon",
        abstract: "What DP-SGD with Poisson sampling costs.",
        discussion: """
            The noise multiplier is the noise's standard deviation over the clip norm, whatever the relation: \
            replace-one doubles the sensitivity itself. The noise is a Gaussian of real numbers. Plans have discrete \
            noise, which costs less than a hundred-thousandth more; 'dp plan' adds it.
            """)

    /// One accountant, or all of them.
    enum Choice: OptionValue {
        case one(PlanAccountant), all

        init?(written: String) {
            if written == "all" {
                self = .all
            } else {
                guard let accountant = PlanAccountant(rawValue: written) else { return nil }
                self = .one(accountant)
            }
        }

        static var choices: [String] { PlanAccountant.choices + ["all"] }
        static var expectation: String { "one of \(choices.joined(separator: ", "))" }

        var json: JSONValue {
            switch self {
            case .one(let accountant): accountant.json
            case .all: .text("all")
            }
        }
    }

    @Option(parsing: .unconditional, help: "Noise standard deviation over clip norm, at least 0.")
    var noiseMultiplier: Given<Double>?

    @Option(parsing: .unconditional, help: "Chance of each example to be in a batch, in [0, 1], such as 256/60000.")
    var samplingProbability: Given<Double>?

    @Option(parsing: .unconditional, help: "Number of steps, at least 0.")
    var iterations: Given<Int>?

    @Option(parsing: .unconditional, help: "δ, in [0, 1).")
    var delta: Given<Double>?

    @Option(
        parsing: .unconditional,
        help: """
            pld is tight and comes with a lower bound, rdp is above it, all shows every one that applies. \
            (default: pld)
            """)
    var accountant: Given<Choice>?

    @OptionGroup var shared: SharedOptions

    func run() throws {
        var check = UsageCheck()
        let options = shared.checked(&check, of: Self.self)
        let choice = check.value(accountant, "--accountant") ?? .one(.pld)
        let z = check.required(noiseMultiplier, "--noise-multiplier", .notNegative, "noise over clip norm, such as 1.1")
        let q = check.required(
            samplingProbability, "--sampling-probability", .probability, "the chance to be in a batch, such as 0.01")
        let steps = check.required(iterations, "--iterations", .atLeast(0), "the number of steps")
        let delta = check.required(delta, "--delta", .belowOne, "far below one over the number of examples")
        try check.finish()
        guard let z, let q, let steps, let delta else { fail("What is missing was refused.") }
        let setting = DPSGD(
            noiseMultiplier: z, samplingProbability: q, iterations: steps, delta: delta, relation: options.relation)
        let answers = try answers(setting, choice, options)
        try Row.show(answers.map(\.row), as: options.format)
        if let plot = shared.plot { try setting.curve(by: answers.map(\.accountant)).write(to: plot) }
    }

    private func answers(
        _ setting: DPSGD, _ choice: Choice, _ options: SharedOptions.Checked
    ) throws -> [(accountant: any PrivacyAccountant, row: Row)] {
        func answer(_ choice: PlanAccountant) throws -> (accountant: any PrivacyAccountant, row: Row) {
            let accountant = try options.make(choice)
            return (accountant, try setting.row(by: accountant))
        }
        switch choice {
        case .one(let choice): return [try answer(choice)]
        case .all:
            return try PlanAccountant.allCases.compactMap { choice in
                do {
                    return try answer(choice)
                } catch let error as AccountingError {
                    guard case .unsupported = error else { throw error }
                    note("\(error)")
                    return nil
                }
            }
        }
    }
}
