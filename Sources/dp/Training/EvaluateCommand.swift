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
        help: "A folder with idx files or a .npz file, of which the test set is taken, a .npy file, or a CSV file.",
        completion: .file())
    var data: String

    @Option(
        help: "A .npy file with labels: those of a .npy file, or in place of an archive's own.",
        completion: .file(extensions: ["npy"])
    )
    var labels: String?

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
        model.description.schema?.target?.warnOfClamped(read.targets)
        let evaluation = model.description.inUnits(
            try model.network.evaluate(on: model.mapped(read), at: model.parameters))
        let result = Result(evaluation: evaluation, provenance: provenance(of: read, folder, model))
        if format == .json { return try printJSONLine(result) }
        if let accuracy = evaluation.accuracy { print("accuracy  \(Percent.text(accuracy))") }
        if let error = evaluation.rootMeanSquaredError { print("RMSE      \(Decimals.text(error))") }
        if let share = evaluation.rSquared { print("R²        \(Decimals.text(share))") }
        print("loss      \(String(format: "%.4f", evaluation.loss))")
        print("examples  \(evaluation.exampleCount)")
        if let warning = result.provenance.warning { print("warning   \(warning)") }
    }

    /// Whether the examples are those that the run was trained on.
    private func provenance(of examples: InMemoryDataset, _ folder: RunFolder, _ model: TrainedModel) -> Provenance {
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

    private func labelledData(_ model: TrainedModel) throws -> InMemoryDataset {
        var configuration = try DataConfiguration.guess(path: data)
        if model.description.schema != nil { configuration.kind = .csv }
        guard labels == nil || configuration.kind == .numpy else {
            throw TrainingConfigurationError.unused(
                what: ["--labels"], reason: "'\(data)' is read as \(configuration.kind.rawValue) data; leave it out")
        }
        switch configuration.kind {
        case .csv, .digits:
            guard let schema = try model.description.schema(for: data) else {
                throw TrainingConfigurationError.notARun(path: runPath, reason: "It was not trained on a CSV file.")
            }
            return try CSVFile(data, schema: schema).dataset
        case .idx:
            try model.checkType(of: data)
            return try IdxFolder(data, classCount: model.classCount ?? DataConfiguration.idxClassCount).test
        case .numpy:
            let file = try NumPyFile(evaluationSet: data, labels: labels, classCount: model.classCount)
            try model.checkType(file.featureType, isByte: file.hasByteFeatures, of: data)
            guard file.dataset.targets.outputCount > 0 else {
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
        let provenance: Provenance

        private enum CodingKeys: CodingKey {
            case isOfTrainingData, warning
        }

        func encode(to encoder: any Encoder) throws {
            try evaluation.encode(to: encoder)
            var box = encoder.container(keyedBy: CodingKeys.self)
            try box.encode(provenance.isOfTrainingData, forKey: .isOfTrainingData)
            try box.encode(provenance.warning, forKey: .warning)
        }
    }
}
