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

/// Reads a JSON file; what is wrong with it is said with the file's name.
func readConfiguration<Value: Decodable>(_ path: String) throws -> Value {
    let bytes = try FileContents.read(path, limit: 1 << 24)
    do {
        return try JSONDecoder().decode(Value.self, from: Data(bytes))
    } catch let error as DecodingError {
        throw TrainingConfigurationError.unreadable(path: path, reason: error.sentence)
    }
}

extension DecodingError {
    /// What is wrong and where, without Swift's own words around it.
    var sentence: String {
        let (context, what): (Context, String) =
            switch self {
            case .keyNotFound(let key, let context): (context, "'\(key.stringValue)' is missing.")
            case .valueNotFound(_, let context): (context, "A value is null that must not be.")
            case .typeMismatch(let type, let context): (context, "A value is not \(Self.name(of: type)).")
            case .dataCorrupted(let context):
                (context, Self.detail(context.underlyingError) ?? context.debugDescription)
            @unknown default: (Context(codingPath: [], debugDescription: ""), "\(self)")
            }
        let place = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
        return place.isEmpty ? what : "at '\(place)': \(what)"
    }

    /// What JSON calls values of the type.
    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number that fits"
        case is any BinaryFloatingPoint.Type: "a number"
        case is String.Type: "a text in quotes"
        case is [Any].Type: "a list in brackets"
        default: "an object in braces"
        }
    }

    /// Where the text stops being JSON, as Foundation says it.
    private static func detail(_ error: (any Error)?) -> String? {
        guard let error else { return nil }
        return (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
    }
}
