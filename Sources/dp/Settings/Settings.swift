import ArgumentParser
import CommandLineSupport
import Foundation
import GradientTransformations
import Networks
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining

/// Settings of a run, from a file, options, or both: which value each has, and who said so.
struct Settings {
    /// A JSON object.
    private(set) var value: JSONValue = .object([:])
    /// The file that it was read from.
    let file: String?
    /// The options that said what stands at a path, by path.
    private var flags: [String: String] = [:]
    private var check = UsageCheck()
    /// The places whose problems are noted.
    private var noted: Set<[String]> = []
    /// The key below which the file's own settings stand now; nil where they are where the file has them.
    private var root: String?
    /// The options that a user can be told of; nil for all.
    private var offered: Set<String>?
    /// What the user should know though nothing is wrong.
    private(set) var notes: [String] = []

    /// The option for each path, for settings that have one.
    private static let options = [
        "data": "--data", "data.path": "--data", "data.testPath": "--test-data", "data.schema": "--schema",
        "data.labels": "--labels", "data.testLabels": "--test-labels", "data.classCount": "--classes",
        "data.lengths": "--lengths", "data.testLengths": "--test-lengths", "data.inputs": "--inputs",
        "data.vocabulary": "--vocabulary", "data.tokens": "--tokens", "data.length": "--length",
        "data.window": "--window", "data.streaming": "--stream",
        "users": "--owners", "users.owners": "--owners", "users.examplesPerUser": "--examples-per-user",
        "model": "--model", "architecture": "--model",
        "init": "--init", "mapping": "--mapping", "frozen": "--freeze",
        "data.takesOpenRangesFromDataWithoutPrivacy": "--open-ranges-from-data-without-privacy",
        "optimizer.name": "--optimizer", "optimizer.learningRate": "--learning-rate",
        "optimizer.momentum": "--momentum", "optimizer.scaleThenPrivatize": "--scale-then-privatize",
        "optimizer.scaleThenPrivatize.epsilon": "--scale-epsilon", "plan.epsilon": "--epsilon",
        "plan.noiseMultiplier": "--noise-multiplier", "plan.delta": "--delta", "plan.epochs": "--epochs",
        "plan.iterations": "--iterations", "plan.expectedBatchSize": "--batch", "plan.clipping.l2ClipNorm": "--clip",
        "plan.noise.kind": "--noise", "noise.kind": "--noise", "plan.noise.strategy": "--strategy",
        "noise.strategy": "--strategy",
        "averaging.fraction": "--average-tail", "checkpointInterval": "--checkpoint-interval",
        "nonPrivateSeed": "--non-private-seed",
    ]

    /// No settings at all.
    init() { file = nil }

    /// What stands in a file; in standard input for "-". What is wrong with it as an object of the group, options
    /// beside it apart, is noted, whatever options say in its place.
    ///
    /// Throws `FileError` and `TrainingConfigurationError`.
    init(file: String, as group: (JSONValue) -> SettingGroup) throws {
        self.file = file
        value = try readConfiguration(file, JSONValue.self).withoutNulls
        for problem in group(value).problems(with: value) where !problem.isMissing {
            let place = problem.path.isEmpty ? "'\(file)'" : "'\(problem.path.joined(separator: "."))' in '\(file)'"
            check.add("\(place) \(problem.text)")
            noted.insert(problem.path)
        }
    }

    /// What stands in `value`.
    init(_ value: some Encodable) throws {
        file = nil
        self.value = try JSONDecoder.exact.decode(JSONValue.self, from: JSONEncoder.exact.encode(value))
    }

    subscript(path: String) -> JSONValue? { value[path] }

    /// Makes all that the file has the object at `key`. It is still called by its place in the file.
    mutating func move(to key: String) {
        value = .object([key: value])
        noted = Set(noted.map { [key] + $0 })
        root = key
    }

    /// Lets nobody be told of options that `command` does not have.
    mutating func offerOptions(of command: any ParsableCommand.Type) { offered = Set(command.optionNames) }

    /// Sets what an option says, under the option's name.
    mutating func set(_ path: String, to value: JSONValue) {
        self.value[path] = value
        flags[path] = Self.options[path]
    }

    /// The same for a word that may mean nothing, which is noted; nothing if there is none.
    mutating func set<Value: OptionValue>(_ path: String, to given: Given<Value>?) {
        if let value = check.value(given, Self.options[path] ?? path) { set(path, to: value.json) }
    }

    /// Sets what goes with an option's value without being one's own.
    mutating func complete(_ path: String, with value: JSONValue) { self.value[path] = value }

    /// Takes a setting back that another one replaces.
    mutating func remove(_ path: String) {
        value[path] = nil
        flags = flags.filter { $0.key != path && !$0.key.hasPrefix(path + ".") }
    }

    /// Notes words that are no option of `command`, and options that are given more than once.
    mutating func refuse(_ words: [String], of command: any ParsableCommand.Type, repeatable: Set<String>) {
        check.refuse(words, of: command, repeatable: repeatable)
    }

    /// Notes what is wrong with the settings together.
    mutating func add(_ problem: String) { check.add(problem) }

    /// Notes what is not wrong, and should be known.
    mutating func addNote(_ note: String) { notes.append(note) }

    /// How a user knows the setting at `path`: by its option, or by its place in the file.
    func name(of path: String) -> String {
        if let flag = flags[path] { return flag }
        let place = root.map { path.hasPrefix($0 + ".") ? String(path.dropFirst($0.count + 1)) : path } ?? path
        if value[path] == nil, let flag = Self.options[path], offered?.contains(flag) ?? true {
            return file == nil ? flag : "'\(place)' in '\(file ?? "")' (or \(flag))"
        }
        return file.map { "'\(place)' in '\($0)'" } ?? "'\(place)'"
    }

    /// The settings as a value of a type that they were checked to be one of.
    ///
    /// Throws ``UsageError`` with everything that is wrong: with the words that were noted, and by `group`.
    func decoded<Value: Decodable>(as group: SettingGroup, _: Value.Type = Value.self) throws -> Value {
        var check = check
        for problem in group.problems(with: value) {
            let path = problem.path.joined(separator: ".")
            if noted.contains(problem.path), flags[path] == nil { continue }
            check.add("\(name(of: path)) \(problem.text)")
        }
        try check.finish()
        do {
            return try JSONDecoder.exact.decode(Value.self, from: JSONEncoder.exact.encode(value))
        } catch let error as DecodingError {
            throw UsageError(problems: [(file.map { "'\($0)' cannot be read: " } ?? "") + error.sentence])
        } catch {
            throw usage(for: error) ?? error
        }
    }

    /// The error as one of the setting that it speaks of, under the name that the user knows; nil if it speaks of none.
    func usage(for error: any Error) -> UsageError? {
        guard let (key, text) = subject(of: error) else { return nil }
        let isOfOptimizer = error is GradientTransformationError || key == "scaleThenPrivatize"
        let places = isOfOptimizer ? Self.optimizerPlaces : Self.planPlaces
        guard let path = (places.map { $0 + key }).first(where: { value[$0] != nil }) else { return nil }
        return UsageError(problems: ["\(name(of: path)) \(text)"])
    }

    /// The setting that an error speaks of, and what it says of it.
    private func subject(of error: any Error) -> (key: String, text: String)? {
        switch error {
        case PlanError.outOfRange(let key, let value, let allowed),
            TrainingError.outOfRange(let key, let value, let allowed),
            AccountingError.outOfRange(let key, let value, let allowed),
            PrivacyMechanismError.invalidSamplingParameter(let key, let value, let allowed):
            (key, "is \(value), but must be \(allowed).")
        case GradientTransformationError.invalidHyperparameter(let key, let value, let allowed):
            (key, "is \(value), but must be \(allowed).")
        case PlanError.unboundedClipping: ("l2ClipNorm", "is infinite: \(error)")
        case PlanError.overBudget, PrivacyMechanismError.noiseTooSmallForGrid:
            ("noiseMultiplier", "does not fit: \(error)")
        case PrivacyMechanismError.invalidStrategy: ("strategy", "does not fit: \(error)")
        case PrivacyMechanismError.sumsChangedUnderStrategy, PlanError.transformChangesWithinStrategy:
            ("scaleThenPrivatize", "does not fit: \(error)")
        case ModelError.unknownFrozenPath, ModelError.nothingToTrain: ("frozen", "does not fit: \(error)")
        case ModelError.parametersDoNotFit, ModelError.parameterNotFinite: ("init", "does not fit: \(error)")
        case let error as ModelError: ("model", "is \(value["model"]?.brief ?? "left open"): \(error)")
        default: nil
        }
    }

    /// Where settings of plans and runs can stand, and where those of optimizers: both have an `epsilon`.
    private static let planPlaces = [
        "", "plan.", "plan.clipping.", "clipping.", "plan.sampling.", "sampling.", "users.",
        "averaging.", "plan.noise.", "noise.",
    ]
    private static let optimizerPlaces = ["optimizer.", "optimizer.scaleThenPrivatize."]
}
