import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAccounting
import PrivateTraining

struct EpsilonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epsilon",
        abstract: "What DP-SGD with Poisson sampling costs.",
        discussion: """
            The noise multiplier is the noise's standard deviation over the clip norm, whatever the relation: \
            replace-one doubles the sensitivity itself.
            """)

    /// One accountant, or all of them.
    enum Choice: ExpressibleByArgument {
        case one(PlanAccountant), all

        init?(argument: String) {
            if argument == "all" {
                self = .all
            } else {
                guard let accountant = PlanAccountant(argument: argument) else { return nil }
                self = .one(accountant)
            }
        }

        static var allValueStrings: [String] { PlanAccountant.allValueStrings + ["all"] }

        var defaultValueDescription: String {
            switch self {
            case .one(let accountant): accountant.rawValue
            case .all: "all"
            }
        }
    }

    @Option(help: "Noise standard deviation over clip norm, at least 0.")
    var noiseMultiplier: Double

    @Option(help: "Chance of each example to be in a batch, in [0, 1].")
    var samplingProbability: Double

    @Option(help: "Number of steps, at least 0.")
    var iterations: Int

    @Option(help: "δ, in [0, 1).")
    var delta: Double

    @Option(help: "pld is tight and comes with a lower bound, rdp is above it, all shows every one that applies.")
    var accountant: Choice = .one(.pld)

    @OptionGroup var shared: SharedOptions

    @Option(help: "Draw ε over steps into this SVG file.", completion: .file(extensions: ["svg"]))
    var plot: String?

    func run() throws {
        let setting = Setting(
            noiseMultiplier: noiseMultiplier, samplingProbability: samplingProbability, iterations: iterations,
            delta: delta, relation: shared.relation)
        let answers = try answers(setting)
        try Row.show(answers.map(\.row), as: shared.format)
        // The first accountant is the tightest: drawn last, its curve lies above the others.
        if let plot { try draw(setting, by: answers.reversed().map(\.accountant), to: plot) }
    }

    private func answers(_ setting: Setting) throws -> [(accountant: any PrivacyAccountant, row: Row)] {
        func answer(_ choice: PlanAccountant) throws -> (accountant: any PrivacyAccountant, row: Row) {
            let accountant = try shared.make(choice)
            return (accountant, try setting.row(by: accountant))
        }
        switch accountant {
        case .one(let choice): return [try answer(choice)]
        case .all:
            return try PlanAccountant.allCases.compactMap { choice in
                do {
                    return try answer(choice)
                } catch let error as AccountingError {
                    guard case .unsupported = error else { throw error }
                    FileHandle.standardError.write(Data("note: \(error)\n".utf8))
                    return nil
                }
            }
        }
    }

    /// ε after up to 40 evenly spaced numbers of steps.
    private func draw(_ setting: Setting, by accountants: [any PrivacyAccountant], to path: String) throws {
        let points = min(40, max(1, setting.iterations))
        let steps = (1...points).map { max(1, Int(Double(setting.iterations) * Double($0) / Double(points))) }
        let curves = try accountants.map { accountant in
            let values = try steps.map { count in
                var partial = setting
                partial.iterations = min(count, setting.iterations)
                let epsilon = try accountant.epsilon(of: partial.event(), delta: setting.delta)
                return (x: Double(partial.iterations), y: epsilon)
            }
            return LineChart.Series(
                name: type(of: accountant).name.uppercased(), points: values.filter(\.y.isFinite))
        }
        let chart = LineChart(
            title: "ε at δ = \(setting.delta), z = \(setting.noiseMultiplier), "
                + "q = \(String(format: "%.4g", setting.samplingProbability))",
            xLabel: "steps", yLabel: "ε", series: curves)
        try writeFile(chart.svg, to: path)
    }
}
