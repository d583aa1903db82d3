import ArgumentParser
import CommandLineSupport
import Foundation
import PrivateTraining

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "The privacy report of a plan, before anything is trained.",
        discussion: """
            The file holds a plan as JSON, for example {"exampleCount": 60000, "expectedBatchSize": 600, "epochs": 20, \
            "clipping": {"method": "threshold", "l2ClipNorm": 1}, "epsilon": 2, "delta": 1e-5}. With "noiseMultiplier" \
            instead of "epsilon" it says what that noise costs.
            """)

    @Argument(
        help: "A plan, or a configuration with one (such as RUN/config.json), in a JSON file; - for standard input.",
        completion: .file(extensions: ["json"]))
    var file: String

    @Option(
        parsing: .unconditional, help: "A text for people (table), or the report as one JSON object. (default: table)")
    var format: Given<OutputFormat>?

    @OptionGroup var noise: NoiseOptions

    @OptionGroup var charts: ChartOptions

    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self)
        let format = check.value(format, "--format") ?? .table
        try check.finish()
        let plan = try PlanFile(file, noise: noise).plan(StrategyFitter(file: noise.files.strategies))
        let report = PrivacyReport(of: plan)
        for warning in plan.warnings() { warn("\(warning)") }
        switch format {
        case .table: print(wrapped(report.text, columns: Terminal.output.columns))
        case .json: try printJSONLine(report)
        }
        let text = "z = \(shortest(plan.noiseMultiplier)), \(plan.sampling.kind) sampling"
        if let path = charts.plot {
            let line = try plan.line(plan.accountant.rawValue.uppercased())
            try PrivacyCurve(title: "ε at δ = \(plan.delta), \(text)", yLabel: "ε", lines: [line]).write(to: path)
        }
        if let path = charts.tradeOff {
            let curve = (plan.accountant.rawValue.uppercased(), try plan.tradeOffCurve())
            try TradeOffChart(title: "Trade-off after \(plan.iterations) steps, \(text)", curves: [curve])
                .write(to: path)
        }
    }
}
