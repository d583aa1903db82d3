import CommandLineSupport
import Foundation
import GradientTransformations
import PrivacyMechanisms
import PrivateTraining

extension TrainCommand {
    /// What the file says, and what the options say beside it.
    ///
    /// Throws `FileError` and `TrainingConfigurationError` for a file that is none; all else is noted.
    func makeSettings(noting check: UsageCheck) throws -> Settings {
        var settings: Settings
        if data.demo {
            settings = try Settings(TrainingConfiguration.demo)
        } else if let config {
            settings = try Settings(file: config) { _ in Formats.configuration }
        } else {
            settings = Settings()
        }
        check.problems.forEach { settings.add($0) }
        settings.refuse(unrecognized.words, of: Self.self, repeatable: Self.repeatable)
        addData(to: &settings)
        addUsers(to: &settings)
        addOptimizer(to: &settings)
        addPlan(to: &settings)
        if let name = model.model {
            if name.hasSuffix(".json") {
                settings.set("architecture", to: try readConfiguration(name, JSONValue.self))
                settings.remove("model")
            } else {
                settings.set("model", to: .text(name))
                settings.remove("architecture")
            }
        }
        if settings["model"] != nil, settings["architecture"] != nil {
            settings.add(
                "\(settings.name(of: "model")) and \(settings.name(of: "architecture")) both say what the model is: "
                    + "leave one of them out.")
        }
        if let initial = model.initial { settings.set("init", to: .text(initial)) }
        if let mapping = model.mapping { settings.set("mapping", to: .text(mapping)) }
        if settings["mapping"] != nil, settings["init"] == nil {
            settings.add(
                "\(settings.name(of: "mapping")) says what the tensors of a file are, but \(settings.name(of: "init")) "
                    + "is missing: give the safetensors file, or leave the mapping out.")
        }
        if !model.freeze.isEmpty { settings.set("frozen", to: .list(model.freeze.map { .text($0) })) }
        if model.averageTail != nil {
            settings.set("averaging.fraction", to: model.averageTail)
            settings.complete("averaging.kind", with: .text("tail"))
            settings.remove("averaging.decay")
        }
        settings.set("checkpointInterval", to: kept.checkpointInterval)
        settings.set("nonPrivateSeed", to: kept.nonPrivateSeed)
        return settings
    }

    private func addData(to settings: inout Settings) {
        if let path = data.data {
            if config == nil || settings["data.kind"] == .text("digits") || settings["data.kind"] == nil {
                settings.complete("data.kind", with: .text(kind(of: path, noting: &settings).rawValue))
            }
            // Labels belong to the file that they were made for.
            if settings["data.path"] != nil, settings["data.kind"] != .text("text") {
                settings.remove("data.labels")
                settings.remove("data.lengths")
            }
            settings.set("data.path", to: .text(path))
        }
        if let path = data.testData {
            settings.remove("data.testLabels")
            settings.remove("data.testLengths")
            settings.set("data.testPath", to: .text(path))
        }
        if let labels = data.labels {
            // Of a text they are a list of what they can be.
            let names = labels.split(separator: ",", omittingEmptySubsequences: false).map { JSONValue.text("\($0)") }
            settings.set("data.labels", to: settings["data.kind"] == .text("text") ? .list(names) : .text(labels))
        }
        if let path = data.testLabels { settings.set("data.testLabels", to: .text(path)) }
        if let path = data.lengths { settings.set("data.lengths", to: .text(path)) }
        if let path = data.testLengths { settings.set("data.testLengths", to: .text(path)) }
        settings.set("data.inputs", to: data.inputs)
        addText(to: &settings)
        if data.stream { settings.set("data.streaming", to: .flag(true)) }
        settings.set("data.classCount", to: data.classes)
        if let path = data.schema { settings.set("data.schema", to: .text(path)) }
        if data.openRangesFromDataWithoutPrivacy {
            settings.set("data.takesOpenRangesFromDataWithoutPrivacy", to: .flag(true))
        }
        let isText = settings["data.kind"] == .text("text")
        let files = [
            ("--test-data", data.testData), ("--labels", isText ? nil : data.labels),
            ("--test-labels", data.testLabels), ("--lengths", data.lengths), ("--test-lengths", data.testLengths),
            ("--vocabulary", data.vocabulary == DataConfiguration.bytes ? nil : data.vocabulary),
            ("--schema", data.schema), ("--init", model.initial),
            ("--mapping", model.mapping),
        ]
        for (option, path) in files {
            if let path, !FileManager.default.fileExists(atPath: path) {
                settings.add("\(option): \(TrainingConfigurationError.noSuchFile([path]))")
            }
        }
        if settings["data.kind"] == .text("csv"), settings["data.schema"] == nil {
            settings.add(
                "\(settings.name(of: "data.schema")) is missing: a JSON file that says what the columns of the CSV "
                    + "file mean, and what bounds they have; see 'dp help formats'.")
        }
    }

    private func addText(to settings: inout Settings) {
        if let vocabulary = data.vocabulary {
            // What a file lists belongs to that file.
            settings.remove("data.tokens")
            settings.set("data.vocabulary", to: .text(vocabulary))
        }
        settings.set("data.tokens", to: data.tokens)
        if data.length != nil { settings.remove("data.window") }
        if data.window != nil { settings.remove("data.length") }
        settings.set("data.length", to: data.length)
        settings.set("data.window", to: data.window)
        guard settings["data.kind"] == .text("text") else { return }
        let (length, window) = (settings.name(of: "data.length"), settings.name(of: "data.window"))
        switch (settings["data.length"], settings["data.window"]) {
        case (nil, nil):
            settings.add("\(length) is missing: how many tokens are kept of each line. Or cut the text by \(window).")
        case (_?, _?): settings.add("\(length) and \(window) both say what an example is: leave one out.")
        default: break
        }
        if settings["data.vocabulary"] == nil {
            settings.add(
                "\(settings.name(of: "data.vocabulary")) is missing: bytes, or a public file with a token a line that "
                    + "was not made of the text.")
        } else if settings["data.vocabulary"] == .text(DataConfiguration.bytes), settings["data.tokens"] != nil {
            settings.add("\(settings.name(of: "data.tokens")) means nothing: the tokens are bytes. Leave it out.")
        }
    }

    private func addUsers(to settings: inout Settings) {
        if let owners = data.owners { settings.set("users.owners", to: .text(owners)) }
        settings.set("users.examplesPerUser", to: privacy.examplesPerUser)
        guard settings["users"] != nil else { return }
        if settings["data.kind"] == .text("digits") {
            settings.add("\(settings.name(of: "users.owners")): the digits that ship with this program have no owners.")
        }
        if settings["plan.sampling"] != nil, privacy.batch == nil {
            settings.add(
                "\(settings.name(of: "users.owners")) and \(settings.name(of: "plan.sampling")) both say how batches "
                    + "are drawn: leave one out.")
        }
        if settings["plan.unit"] == .text("example") {
            settings.add(
                "\(settings.name(of: "plan.unit")) is 'example', but \(settings.name(of: "users.owners")) asks for a "
                    + "promise to each user: leave one of them out.")
        }
    }

    /// What the name of `path` says of its kind if there is nothing, which is noted.
    private func kind(of path: String, noting settings: inout Settings) -> DataConfiguration.Kind {
        do {
            let guess = try DataConfiguration.guess(path: path).kind
            return guess == .csv && data.vocabulary != nil ? .text : guess
        } catch {
            settings.add("--data: \(error)")
            if data.vocabulary != nil { return .text }
            if data.schema != nil { return .csv }
            return data.labels != nil || DataConfiguration.isNumPy(path) ? .numpy : .idx
        }
    }

    private func addOptimizer(to settings: inout Settings) {
        if let name = model.optimizer?.value, settings["optimizer.name"] != name.json {
            // Another optimizer's numbers mean something else, its rate included.
            settings.remove("optimizer")
        }
        settings.set("optimizer.name", to: model.optimizer)
        settings.set("optimizer.learningRate", to: model.learningRate)
        settings.set("optimizer.momentum", to: model.momentum)
        if model.scaleThenPrivatize, settings["optimizer.scaleThenPrivatize"] == nil {
            settings.set("optimizer.scaleThenPrivatize", to: .object([:]))
        }
        settings.set("optimizer.scaleThenPrivatize.epsilon", to: model.scaleEpsilon)
        let isScaled = settings["optimizer.scaleThenPrivatize"] != nil
        if settings["optimizer"] != nil || model.optimizer != nil, settings["optimizer.name"] == nil {
            settings.complete("optimizer.name", with: .text(isScaled ? "adam" : "sgd"))
            if !isScaled, settings["optimizer.momentum"] == nil {
                settings.complete("optimizer.momentum", with: .number(0.9))
            }
        }
        if isScaled, case .text(let name)? = settings["optimizer.name"],
            let optimizer = NamedOptimizer.table.first(where: { $0.name == name }), !optimizer.isAdaptive
        {
            settings.add(
                "\(settings.name(of: "optimizer.scaleThenPrivatize")): "
                    + TrainingConfigurationError.noSecondMoment(optimizer: name).description)
        }
    }

    private func addPlan(to settings: inout Settings) {
        if privacy.clip != nil {
            if settings["plan.clipping.method"] == .text(AdaptiveQuantileClipping.name) {
                settings.remove("plan.clipping")
                settings.addNote("--clip takes the place of the configuration's clip norm that follows a quantile")
            }
            if settings["plan.clipping.method"] == nil {
                settings.complete("plan.clipping.method", with: .text("threshold"))
            }
            settings.set("plan.clipping.l2ClipNorm", to: privacy.clip)
        }
        settings.setNoise(privacy.noise, in: "plan.")
        // What a run wrote down was calibrated for its own steps.
        let changesSteps = [
            privacy.epsilon != nil, privacy.delta != nil, privacy.batch != nil, privacy.iterations != nil,
            privacy.epochs != nil,
        ].contains(true)
        if changesSteps, privacy.noiseMultiplier == nil, settings["plan.epsilon"] != nil {
            settings.remove("plan.noiseMultiplier")
        }
        settings.set("plan.delta", to: privacy.delta)
        if privacy.epsilon != nil, privacy.noiseMultiplier == nil { settings.remove("plan.noiseMultiplier") }
        if privacy.noiseMultiplier != nil, privacy.epsilon == nil, let budget = settings["plan.epsilon"] {
            // Beside a budget on the same line, the noise is checked against it; one from a file is given up, aloud.
            settings.remove("plan.epsilon")
            settings.addNote("--noise-multiplier takes the place of the configuration's budget, ε = \(budget.brief)")
        }
        settings.set("plan.epsilon", to: privacy.epsilon)
        settings.set("plan.noiseMultiplier", to: privacy.noiseMultiplier)
        if privacy.epochs != nil || privacy.iterations != nil {
            settings.remove("plan.epochs")
            settings.remove("plan.iterations")
        }
        settings.set("plan.epochs", to: privacy.epochs)
        settings.set("plan.iterations", to: privacy.iterations)
        if privacy.batch != nil { settings.remove("plan.sampling") }
        settings.set("plan.expectedBatchSize", to: privacy.batch)

        if settings["plan.epsilon"] == nil, settings["plan.noiseMultiplier"] == nil {
            if privacy.epsilon == nil, privacy.noiseMultiplier == nil {
                settings.add(
                    "\(settings.name(of: "plan.epsilon")) is missing: the budget ε, for example 2. "
                        + "Or give the noise with --noise-multiplier.")
            }
        }
        if settings["plan.delta"] == nil, privacy.delta == nil {
            settings.add(
                "\(settings.name(of: "plan.delta")) is missing: far below one over the number of examples, "
                    + "for example 1e-6.")
        }
        for (first, second) in [("plan.epochs", "plan.iterations"), ("plan.expectedBatchSize", "plan.sampling")]
        where settings[first] != nil && settings[second] != nil {
            settings.add(
                "\(settings.name(of: first)) and \(settings.name(of: second)) say the same twice: leave one out."
            )
        }
    }
}
