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

    @Argument(help: "A plan in a JSON file.", completion: .file(extensions: ["json"]))
    var file: String

    @Option(help: "A text for people (table), or the report as one JSON object.")
    var format: OutputFormat = .table

    func run() throws {
        let request: PlanRequest = try readConfiguration(file)
        let report = PrivacyReport(of: try request.plan())
        switch format {
        case .table: print(report.text)
        case .json: try printJSONLine(report)
        }
    }
}
