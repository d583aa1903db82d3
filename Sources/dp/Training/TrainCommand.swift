import ArgumentParser
import CommandLineSupport
import Foundation
import LinearAlgebra
import PrivateTraining

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a model privately.",
        discussion: """
            Data, ε and δ are enough; what is left out is chosen from public numbers alone, and printed:

              dp train --data mnist --epsilon 2 --delta 1e-6 --output RUN
              dp train --data people.csv --schema people.json --epsilon 1 --delta 1e-6
              dp train --data mails.txt --vocabulary bytes --length 99 --labels ham,spam …

            Or at once, on the digits that ship with this program: dp train --demo

            Everything can also stand in a JSON file (--config; 'dp help formats' shows how); options given beside it \
            win. Numbers may be fractions, such as 256/60000. Ctrl-C ends the run with a checkpoint and the ε spent so \
            far; --resume goes on from there.
            """)

    @Option(help: "A JSON file with the whole configuration.", completion: .file(extensions: ["json"]))
    var config: String?

    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Privacy") var privacy: PrivacyOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Run") var kept: RunOptions
    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        let prepared = try Launch.together(prepare)
        // A folder that one rank alone sees to be finished is not the same folder.
        try Launch.ranks?.agree(on: ["state of the run": prepared == nil ? "finished" : "open"])
        guard let run = prepared else { return }
        if let threads = run.threads { Threads.limit = threads }
        do {
            let fitter = try StrategyFitter(file: privacy.noise.files.strategies)
            try TrainingRun(run.configuration, folder: run.folder, format: run.format, fitter: fitter).run()
        } catch {
            throw run.settings.usage(for: error) ?? error
        }
    }

    /// What is to be run, and where its settings came from; nil if it has been.
    private func prepare() throws -> (
        configuration: TrainingConfiguration, folder: RunFolder?, format: OutputFormat, threads: Int?,
        settings: Settings
    )? {
        var check = UsageCheck()
        let threads = check.number(kept.threads, "--threads", .atLeast(1))
        let format = check.value(kept.format, "--format") ?? .table
        if kept.resume {
            check.refuse(unrecognized.words, of: Self.self, repeatable: Self.repeatable)
            if kept.output == nil { check.add("--resume needs --output, the folder of the run.") }
            let ignored = ignoredByResume
            if !ignored.isEmpty {
                check.add(
                    "--resume takes everything from the run in --output: leave \(ignored.joined(separator: ", ")) out.")
            }
            try check.finish()
        }
        if data.demo, data.data != nil { check.add("--demo brings its own data: leave --data out.") }
        if data.demo, config != nil { check.add("--demo brings its own configuration: leave --config out.") }
        let folder = kept.output.map(RunFolder.init)
        if kept.resume, let folder {
            if let result = try folder.finishedResult() {
                note("The run in '\(folder.url.path)' has taken all of its steps: nothing is changed.")
                try result.show(as: format, output: folder.url.path)
                return nil
            }
            return (try folder.configuration(), folder, format, threads, Settings())
        }
        let settings = try makeSettings(noting: check)
        let configuration: TrainingConfiguration = try settings.decoded(as: Formats.configuration)
        settings.notes.forEach(note)
        if let folder, folder.hasRun { throw TrainingConfigurationError.outputExists(path: folder.url.path) }
        return (configuration, folder, format, threads, settings)
    }

    static let repeatable: Set = ["--freeze"]

    /// The options that were given and say what the run's own configuration says already.
    private var ignoredByResume: [String] {
        Self.givenOptions(except: ["--resume", "--output", "--threads", "--format"])
    }
}

extension TrainingConfiguration {
    /// What `--demo` trains: the digits, with all but the budget left to the defaults.
    static var demo: TrainingConfiguration {
        var plan = PlanRequest(delta: 1e-5)
        plan.epsilon = 4
        var configuration = TrainingConfiguration(data: DataConfiguration(.digits), plan: plan)
        configuration.evaluationInterval = 7
        return configuration
    }
}
