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

    @Option(parsing: .unconditional, help: "How sums are made private, in the place of what the file says.")
    var noise: Given<NoiseKind>?

    @Option(help: "Draw ε over steps into this SVG file.", completion: .file(extensions: ["svg"]))
    var plot: String?

    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self)
        let format = check.value(format, "--format") ?? .table
        _ = check.value(noise, "--noise")
        try check.finish()
        var settings = try Settings(file: file) { $0["plan"] == nil ? Formats.plan : Formats.configuration }
        settings.setNoise(noise, in: settings["plan"] == nil ? "" : "plan.")
        let plan: PrivacyPlan
        do {
            plan = try request(settings).plan()
        } catch {
            throw settings.usage(for: error) ?? error
        }
        let report = PrivacyReport(of: plan)
        for warning in plan.warnings() { warn("\(warning)") }
        switch format {
        case .table: print(wrapped(report.text, columns: Terminal.output.columns))
        case .json: try printJSONLine(report)
        }
        if let plot { try plan.epsilonCurve.write(to: plot) }
    }

    private func request(_ settings: Settings) throws -> PlanRequest {
        guard settings["plan"] != nil else { return try settings.decoded(as: Formats.plan) }
        let configuration: TrainingConfiguration = try settings.decoded(as: Formats.configuration)
        guard configuration.plan.lacksSampling else { return configuration.plan }
        // Who owns which example stands apart from what is shown of a run.
        let folder = RunFolder(URL(fileURLWithPath: file).deletingLastPathComponent().path)
        return folder.keepsSamplingApart ? try folder.configuration().plan : configuration.plan
    }
}
