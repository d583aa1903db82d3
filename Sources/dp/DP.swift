import ArgumentParser
import CommandLineSupport
import Foundation
import PrivateTraining

/// `dp`: private training, what it costs in privacy, and what a budget asks for.
struct DP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dp",
        abstract: "Private training on the command line: train, plan, and account.",
        version: PackageVersion.current,
        subcommands: [
            TrainCommand.self, EvaluateCommand.self, PredictCommand.self, PlanCommand.self, EpsilonCommand.self,
            CalibrateCommand.self, CompareCommand.self, AuditCommand.self, SchemaCommand.self, FormatsCommand.self,
        ])
}

extension DP {
    /// Whether the word is an option of the command that takes a value.
    fileprivate static func lacksValue(_ word: String, in command: String) -> Bool {
        let type = configuration.subcommands.first { $0.configuration.commandName == command }
        return type?.optionNames(takingValues: true).contains(word) ?? false
    }
}

@main
enum Main {
    static func main() {
        do {
            try Launch.begin()
            // The help on formats is what the command itself prints.
            var words = Array(CommandLine.arguments.dropFirst())
            if words == ["help", "formats"] { words = ["formats"] }
            // The parser would say that the last option lacks its value, and nothing else.
            if let last = words.last, last.hasPrefix("--"), DP.lacksValue(last, in: words[0]) { words.append("") }
            var command = try Launch.together { try DP.parseAsRoot(words) }
            try command.run()
        } catch {
            Launch.end(after: error)
            switch error {
            case let error as UsageError: refuse(error)
            case let error as TrainingConfigurationError where error.isUsage:
                refuse(UsageError(problems: [error.description]))
            default: DP.exit(withError: error)
            }
        }
    }

    private static func refuse(_ error: UsageError) -> Never {
        let name = CommandLine.arguments.dropFirst().first.map { "dp \($0)" } ?? "dp"
        let text = "\(Terminal.error.bold("Error:")) \(error.description)\nSee '\(name) --help'.\n"
        FileHandle.standardError.write(Data(wrapped(text, columns: Terminal.error.columns).utf8))
        DP.exit(withError: ExitCode.validationFailure)
    }
}
