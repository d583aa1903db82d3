import ArgumentParser
import CommandLineSupport
import Foundation
import LinearAlgebra
import PrivacyAuditing
import PrivateTraining

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Try to refute a plan's ε: train with canaries, and see what can be learned of them.",
        discussion: """
            A lower bound on ε that an experiment justifies is held against the ε that the accountant claims. Canaries \
            are examples like others in the plan's count, and each is in by a fair coin; they go through the plan's \
            own sampling, clipping, noise and optimizer:

              dp audit --demo
              dp audit --plan plan.json
              dp audit --plan plan.json --data people.csv --schema people.json --model mlp:64
              dp audit --run RUN --kind label --output audit.html

            A plan that leaves exampleCount open is one for the data and the canaries together. One that names as many \
            examples as the data has gives the places of the last of them to canaries; so does that of a run. Data is \
            given as to 'dp train'; without any, it is the digits that ship with this program. What is trained has \
            learned canaries, and is not kept.

            The bound that decides is chosen before the run; the others are there to look at. --format json prints, \
            as its last line, epsilon (the accountant's), delta, lowerBound, statistic, confidence, canaries and \
            survived. The exit status is 0 if the claim survived, 3 if the lower bound is above the accountant's ε, \
            130 after Ctrl-C. An audit that finds nothing proves nothing.
            """)

    @Option(
        help: """
            A plan in a JSON file, as 'dp plan' reads it, or a configuration with one, whose data, model and \
            optimizer are then taken too; - for standard input.
            """,
        completion: .file(extensions: ["json"]))
    var plan: String?

    @Option(
        name: .customLong("run"),
        help: "The folder that 'dp train' wrote: what it trained is trained again. The folder is only read.",
        completion: .directory)
    var runPath: String?

    @Option(
        help: "A JSON file with a configuration, as 'dp train' reads it.", completion: .file(extensions: ["json"]))
    var config: String?

    @OptionGroup(title: "Audit") var audit: AuditOptions
    @OptionGroup(title: "Data") var data: DataOptions
    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        let threads = check.number(audit.threads, "--threads", .atLeast(1))
        let format = check.value(audit.format, "--format") ?? .table
        let request = audit.request(&check)
        checkSource(&check)
        checkUnused(&check)
        let folder = runPath.map(RunFolder.init)
        let settings: Settings
        var configuration: TrainingConfiguration
        if let folder {
            check.refuse(unrecognized.words, of: Self.self)
            try check.finish()
            settings = Settings()
            configuration = try folder.configuration()
        } else {
            settings = try makeSettings(noting: check)
            configuration = try settings.decoded(as: Formats.configuration)
        }
        leaveOut(of: &configuration)
        if configuration.users != nil { throw UsageError(problems: ["\(AuditingError.unitNotAudited(unit: "user"))"]) }
        if let threads { Threads.limit = threads }
        do {
            let result = try AuditRun(configuration: configuration, folder: folder, request: request, format: format)
                .result()
            try audit.output.map { try writeFile(result.html, to: $0) }
            try result.show(as: format)
            guard result.exitCode.isSuccess else {
                warn("the claim did not survive: the exit status is \(result.exitCode.rawValue)")
                throw result.exitCode
            }
        } catch let stopped as AuditStopped {
            FileHandle.standardError.write(Data("\(stopped)\n".utf8))
            throw ExitCode(130)
        } catch {
            throw settings.usage(for: error) ?? error
        }
    }

    static let repeatable: Set = ["--freeze"]

    /// Notes unless exactly one option says what is audited.
    private func checkSource(_ check: inout UsageCheck) {
        let sources = [
            ("--plan", plan != nil), ("--run", runPath != nil), ("--config", config != nil), ("--demo", data.demo),
        ]
        let given = sources.filter(\.1).map(\.0)
        if given.isEmpty {
            check.add("--plan or --run is missing: the file of a plan, or the folder of a run. Or try --demo.")
        } else if given.count > 1 {
            check.add("\(given.joined(separator: " and ")) all say what is audited: give one of them.")
        } else if runPath != nil {
            let ignored = Self.givenOptions(except: AuditOptions.names.union(["--run"]))
            if !ignored.isEmpty {
                check.add("--run takes data and model from the run: leave \(ignored.joined(separator: ", ")) out.")
            }
        }
        if data.demo, data.data != nil { check.add("--demo brings its own data: leave --data out.") }
    }

    /// Notes options that would have no effect.
    private func checkUnused(_ check: inout UsageCheck) {
        guard runPath == nil else { return }
        let tests = ["--test-data", "--test-labels", "--test-lengths"]
        let unused = Self.givenOptions(except: Set(Self.optionNames).subtracting(tests + ["--average-tail"]))
        if !unused.isEmpty {
            let reason = "an audit neither tests nor averages a model; leave it out"
            check.add(TrainingConfigurationError.unused(what: unused, reason: reason).description)
        }
        if data.owners != nil { check.add("--owners: \(AuditingError.unitNotAudited(unit: "user"))") }
    }

    /// What the file says, and what the options say beside it.
    private func makeSettings(noting check: UsageCheck) throws -> Settings {
        var settings: Settings
        if data.demo {
            settings = try Settings(TrainingConfiguration.demo)
        } else if let config {
            settings = try Settings(file: config) { _ in Formats.configuration }
        } else if let plan {
            settings = try Settings(file: plan) { $0["plan"] == nil ? Formats.plan : Formats.configuration }
            if settings["plan"] == nil { settings.move(to: "plan") }
        } else {
            settings = Settings()
        }
        settings.offerOptions(of: Self.self)
        check.problems.forEach { settings.add($0) }
        settings.refuse(unrecognized.words, of: Self.self, repeatable: Self.repeatable)
        data.add(to: &settings)
        if settings["data"] == nil { settings.complete("data.kind", with: .text("digits")) }
        model.addOptimizer(to: &settings)
        try model.addModel(to: &settings)
        return settings
    }

    /// Takes out of a configuration what an audit does not do.
    private func leaveOut(of configuration: inout TrainingConfiguration) {
        if configuration.augmentation != nil {
            note("augmentations are left out of an audit: a canary is one gradient")
            configuration.augmentation = nil
        }
        configuration.averaging = ParameterAveraging.none
        configuration.nonPrivateSeed = nil
    }
}
