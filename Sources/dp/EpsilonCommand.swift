import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAccounting

struct EpsilonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epsilon",
        abstract: "What DP-SGD with Poisson sampling costs.",
        discussion: """
            The noise multiplier is the noise's standard deviation over the clip norm, whatever the relation: \
            replace-one doubles the sensitivity itself.
            """)

    enum Choice: String, CaseIterable, ExpressibleByArgument {
        case pld, rdp, all
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
    var accountant: Choice = .pld

    @OptionGroup var shared: SharedOptions

    @Option(help: "Draw ε over steps into this SVG file.", completion: .file(extensions: ["svg"]))
    var plot: String?

    func run() throws {
        let setting = Setting(
            noiseMultiplier: noiseMultiplier, samplingProbability: samplingProbability, iterations: iterations,
            delta: delta, relation: shared.relation)
        try Row.show(rows(setting), as: shared.format)
        if let plot { try draw(setting, to: plot) }
    }

    private func rows(_ setting: Setting) throws -> [Row] {
        var rows: [Row] = []
        if accountant != .rdp { rows.append(try setting.row(pld: shared.discretization)) }
        if accountant != .pld {
            do {
                rows.append(try setting.rdpRow())
            } catch AccountingError.unsupported(let event, let relation, let name) where accountant == .all {
                let reason = AccountingError.unsupported(event: event, relation: relation, accountant: name)
                FileHandle.standardError.write(Data("note: \(reason)\n".utf8))
            }
        }
        return rows
    }

    /// ε after up to 40 evenly spaced numbers of steps.
    private func draw(_ setting: Setting, to path: String) throws {
        let points = min(40, max(1, setting.iterations))
        let steps = (1...points).map { max(1, Int(Double(setting.iterations) * Double($0) / Double(points))) }
        var curves: [LineChart.Series] = []
        func add(_ label: String, _ epsilon: (PrivacyEvent) throws -> Double) throws {
            let values = try steps.map { count in
                var partial = setting
                partial.iterations = min(count, setting.iterations)
                return (x: Double(partial.iterations), y: try epsilon(partial.event()))
            }
            curves.append(LineChart.Series(name: label, points: values.filter(\.y.isFinite)))
        }
        if accountant != .pld, shared.relation != .replaceOne || setting.samplingProbability == 1 {
            let rdp = RenyiAccountant(relation: setting.relation)
            try add("RDP") { try rdp.epsilon(of: $0, delta: setting.delta) }
        }
        if accountant != .rdp {
            let pld = try PrivacyLossDistributionAccountant(
                relation: setting.relation, discretization: shared.discretization)
            try add("PLD") { try pld.epsilon(of: $0, delta: setting.delta) }
        }
        let chart = LineChart(
            title: "ε at δ = \(setting.delta), z = \(setting.noiseMultiplier), "
                + "q = \(String(format: "%.4g", setting.samplingProbability))",
            xLabel: "steps", yLabel: "ε", series: curves)
        try writeFile(chart.svg, to: path)
    }
}
