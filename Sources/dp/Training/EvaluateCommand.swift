import ArgumentParser
import CommandLineSupport
import Foundation
import PrivateTraining

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Accuracy and loss, or errors of numbers, of a trained model on labelled data.",
        discussion: """
            Of the data that the model was trained on, the result is not private. Where the run's own files show that \
            it is that data, the output says so.
            """)

    @Option(name: .customLong("run"), help: "The folder that 'dp train' wrote.", completion: .directory)
    var runPath: String

    @Option(
        help: """
            A folder with idx files or a .npz file, of which the test set is taken, a .npy file, a CSV file, or a text \
            file.
            """,
        completion: .file())
    var data: String

    @Option(
        help: "A .npy file with labels: those of a .npy file, or in place of an archive's own.",
        completion: .file(extensions: ["npy"])
    )
    var labels: String?

    @Option(
        help: "A .npy file with the lengths of the sequences in a .npy file.", completion: .file(extensions: ["npy"]))
    var lengths: String?

    @Flag(help: "Read examples from disk when they are needed, and not all of them into memory.")
    var stream = false

    @Option(parsing: .unconditional, help: "A table for people, or one JSON object. (default: table)")
    var format: Given<OutputFormat>?

    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self)
        let format = check.value(format, "--format") ?? .table
        try check.finish()
        let folder = RunFolder(runPath)
        let model = try TrainedModel(from: folder)
        let read = try labelledData(model)
        try model.description.schema?.target?.warnOfClamped(in: read)
        let mapped = try model.mapped(read)
        let evaluation = model.description.inUnits(try model.network.evaluate(on: mapped, at: model.parameters))
        let isNextToken = model.description.architecture.loss == .nextToken
        let result = Result(
            evaluation: evaluation, perplexity: isNextToken ? exp(evaluation.loss) : nil,
            provenance: provenance(of: read, folder, model))
        if format == .json { return try printJSONLine(result) }
        if let accuracy = evaluation.accuracy { print("accuracy  \(Percent.text(accuracy))") }
        if let error = evaluation.rootMeanSquaredError { print("RMSE      \(Decimals.text(error))") }
        if let share = evaluation.rSquared { print("R²        \(Decimals.text(share))") }
        if let perplexity = result.perplexity { print("perplexity \(String(format: "%.2f", perplexity))") }
        print("loss      \(String(format: "%.4f", evaluation.loss))")
        print("examples  \(evaluation.exampleCount)")
        if let warning = result.provenance.warning { print("warning   \(warning)") }
    }

    /// Whether the examples are those that the run was trained on.
    private func provenance(of examples: any Dataset, _ folder: RunFolder, _ model: TrainedModel) -> Provenance {
        guard let configuration: TrainingConfiguration = try? folder.read("config.json") else {
            return .unknown("The run's config.json cannot be read")
        }
        do {
            let isTraining = try configuration.data.trains(on: examples, model: model.description)
            return isTraining ? .trainingData : .otherData
        } catch {
            return .unknown("The training data '\(configuration.data.path ?? "")' cannot be read any more")
        }
    }

    private func labelledData(_ model: TrainedModel) throws -> any Dataset {
        let kind = try model.kind(ofDataAt: data)
        let given = [("--labels", labels), ("--lengths", lengths)].filter { $0.1 != nil }.map(\.0)
        guard given.isEmpty || kind == .numpy else {
            throw TrainingConfigurationError.unused(
                what: given, reason: "'\(data)' is read as \(kind.rawValue) data; leave it out")
        }
        try model.checkStreaming(stream, of: kind, at: data)
        let reader = DataReader(streams: stream)
        switch kind {
        case .csv, .digits:
            guard let schema = try model.description.schema(for: data) else {
                throw TrainingConfigurationError.notARun(path: runPath, reason: "It was not trained on a CSV file.")
            }
            return try reader.csv(data, schema).dataset
        case .text: return try reader.text(data, model.textFormat(runPath))
        case .idx:
            try model.checkType(of: data)
            return try IdxFolder(data, classCount: model.classCount ?? DataConfiguration.idxClassCount).test
        case .numpy:
            let file = try reader.evaluated(
                data, labels: labels, lengths: lengths, inputs: model.description.inputs ?? .features,
                classCount: model.classCount)
            try model.check(file, of: data)
            guard try file.hasTargets else {
                throw TrainingConfigurationError.missingLabels(data, option: "--labels")
            }
            return file.dataset
        }
    }
}

extension EvaluateCommand {
    /// Where examples come from, seen from the run.
    fileprivate enum Provenance {
        case trainingData
        case otherData
        /// Why nobody can tell.
        case unknown(String)

        var isOfTrainingData: Bool? {
            switch self {
            case .trainingData: true
            case .otherData: false
            case .unknown: nil
            }
        }

        var warning: String? {
            switch self {
            case .trainingData:
                "These are the examples that the model was trained on: this is not private. Do not publish it."
            case .otherData: nil
            case .unknown(let reason): "\(reason): if these are the examples it was trained on, this is not private."
            }
        }
    }

    /// What `--format json` prints. `isOfTrainingData` and `warning` are always there, null where there is nothing to
    /// say.
    fileprivate struct Result: Encodable {
        let evaluation: Evaluation
        /// e to the loss of a model that predicts tokens.
        let perplexity: Double?
        let provenance: Provenance

        private enum CodingKeys: CodingKey {
            case isOfTrainingData, warning, perplexity
        }

        func encode(to encoder: any Encoder) throws {
            try evaluation.encode(to: encoder)
            var box = encoder.container(keyedBy: CodingKeys.self)
            try box.encodeIfPresent(perplexity, forKey: .perplexity)
            try box.encode(provenance.isOfTrainingData, forKey: .isOfTrainingData)
            try box.encode(provenance.warning, forKey: .warning)
        }
    }
}
