import CommandLineSupport
import Foundation
import PrivacyMechanisms
import PrivateTraining
import PyTrees

/// The folder that a training run writes, and that `dp evaluate` and `dp predict` read.
///
/// `config.json` and `model.json` say what was trained, `initial.safetensors` what it began from where that was given,
/// `model.safetensors` holds the parameters, `report.txt` and `report.json` what is promised, `metrics.jsonl` the
/// evaluations, `index.html` all of it for a browser, and `checkpoints` what an interrupted run goes on from;
/// `result.json` is written last, by a run that came to an end.
///
/// **Guarantee:** who owns which example of a run whose unit is the user stands in two places: in
/// `secret/sampling.json`, which `--resume` reads, and in the plan of the checkpoints. Both are open to the owner of
/// the folder alone, and kept from version control; everything else may be shown.
struct RunFolder {
    let url: URL
    /// Whether there is a path: an empty one would be the working folder.
    private let isNamed: Bool

    init(_ path: String) {
        url = URL(fileURLWithPath: path)
        isNamed = !path.isEmpty
    }

    /// Throws `TrainingConfigurationError.missing` for an empty path.
    func checkName() throws(TrainingConfigurationError) {
        if !isNamed {
            throw .missing(what: "The path of the run's folder", remedy: "'' is none; '.' is the working folder")
        }
    }

    /// What it takes to use the parameters: everything between the file with the examples and the predictions.
    struct Model: Codable {
        var architecture: NetworkArchitecture
        var features: FeatureConfiguration?
        /// What the plan's normalization released, by which features are normalised; nil for nothing, and of a run that
        /// has not come to an end.
        var normalization: ChannelNormalization?
        /// How CSV files become inputs.
        var schema: CSVSchema?
        /// Whether features of NumPy and idx files are unsigned bytes, which are scaled by 1/255; nil for other data.
        var byteInputs: Bool?
        /// The column of CSV files that names owners, which is no input: files may have it, or not.
        var ownerColumn: String?
        /// What the numbers of NumPy files are; nil for features, and for other data.
        var inputs: NumPyFile.Inputs?
        /// What the examples of text files are, with the whole vocabulary.
        var text: TextFormat?

        private enum CodingKeys: CodingKey, CaseIterable {
            case architecture, features, normalization, schema, byteInputs, ownerColumn, inputs, text
        }

        init(architecture: NetworkArchitecture, features: FeatureConfiguration?, encoding: DataEncoding) {
            self.architecture = architecture
            self.features = features
            schema = encoding.schema
            byteInputs = encoding.byteInputs
            ownerColumn = encoding.ownerColumn
            inputs = encoding.inputs == .features ? nil : encoding.inputs
            text = encoding.text
        }

        init(from decoder: any Decoder) throws {
            try decoder.refuseUnknownKeys(CodingKeys.self)
            let box = try decoder.container(keyedBy: CodingKeys.self)
            architecture = try box.decode(NetworkArchitecture.self, forKey: .architecture)
            features = try box.decodeIfPresent(FeatureConfiguration.self, forKey: .features)
            normalization = try box.decodeIfPresent(ChannelNormalization.self, forKey: .normalization)
            schema = try box.decodeIfPresent(CSVSchema.self, forKey: .schema)
            byteInputs = try box.decodeIfPresent(Bool.self, forKey: .byteInputs)
            ownerColumn = try box.decodeIfPresent(String.self, forKey: .ownerColumn)
            inputs = try box.decodeChoiceIfPresent(NumPyFile.Inputs.self, forKey: .inputs)
            text = try box.decodeIfPresent(TextFormat.self, forKey: .text)
        }

        /// The schema for the CSV file at `path`, with or without a column for owners; nil if there is no schema.
        ///
        /// Throws `DatasetError` if the file cannot be read.
        func schema(for path: String) throws -> CSVSchema? {
            guard let schema, let ownerColumn else { return schema }
            return try schema.ignoring(ownerColumn, in: path) ?? schema
        }

        /// The evaluation with errors in the units of the data's file.
        func inUnits(_ evaluation: Evaluation) -> Evaluation {
            schema?.target.map(evaluation.inUnits) ?? evaluation
        }
    }

    var checkpoints: URL { url.appending(path: "checkpoints") }

    /// Whether a run has been here. Checkpoints alone count, or another run would go on from them.
    var hasRun: Bool {
        isNamed && ["config.json", "checkpoints"].contains { FileManager.default.fileExists(atPath: path($0)) }
    }

    /// Whether there is something to go on from.
    var hasCheckpoints: Bool {
        let names = try? FileManager.default.contentsOfDirectory(atPath: checkpoints.path)
        return names?.contains { $0.hasPrefix("step-") } ?? false
    }

    /// Why there can be no folder, where a file stands in its way.
    private var obstacle: String? {
        var folder = url
        while folder.path.count > 1 {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) {
                return isFolder.boolValue ? nil : "'\(folder.path)' is a file, and no folder."
            }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    func path(_ name: String) -> String { url.appending(path: name).path }

    /// Makes the folder, clears away what a killed process left half-written, and writes down what is going to be
    /// trained. The paths of the data, of `init` and of its mapping are made absolute, so that the run can be resumed
    /// from anywhere.
    func begin(_ configuration: TrainingConfiguration, _ model: Model) throws {
        try checkName()
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            throw CommandLineError.cannotWrite(path: url.path, reason: obstacle ?? error.localizedDescription)
        }
        AtomicFile.removeLeftovers(in: url.path)
        if let sampling = configuration.secretSampling { try writeSecret(sampling) }
        var published = configuration.published
        published.data = published.data.withAbsolutePaths()
        published.initial = published.initial.map { DataConfiguration.absolute($0) }
        published.mapping = published.mapping.map { DataConfiguration.absolute($0) }
        if let users = published.users, model.ownerColumn == nil {
            published.users?.owners = DataConfiguration.absolute(users.owners)
        }
        try write(published, to: "config.json")
        try write(model, to: "model.json")
    }

    /// The configuration that ``begin(_:_:)`` was given, put together again from what is shown and what is not.
    func configuration() throws -> TrainingConfiguration {
        var configuration: TrainingConfiguration = try read("config.json")
        if configuration.lacksSampling {
            guard keepsSamplingApart else {
                throw TrainingConfigurationError.missingOwners(path: path(Self.secretSampling))
            }
            configuration.restore(try read(Self.secretSampling))
        }
        return configuration
    }

    /// Whether who owns which example stands in a file of its own.
    var keepsSamplingApart: Bool { FileManager.default.fileExists(atPath: path(Self.secretSampling)) }

    /// The parameters that training began from, where they were given.
    static let initial = "initial.safetensors"

    /// Their path; nil where there are none.
    var keptInitial: String? {
        let kept = path(Self.initial)
        return FileManager.default.fileExists(atPath: kept) ? kept : nil
    }

    private static let secretSampling = "secret/sampling.json"

    private func writeSecret(_ sampling: SamplingScheme) throws {
        let folder = url.appending(path: "secret")
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            // Results are what people commit.
            try Data("*\n".utf8).write(to: folder.appending(path: ".gitignore"))
        } catch {
            throw CommandLineError.cannotWrite(path: folder.path, reason: error.localizedDescription)
        }
        AtomicFile.removeLeftovers(in: folder.path)
        try AtomicFile.writeSecret(try JSONEncoder().encode(sampling), to: path(Self.secretSampling))
    }

    func write(_ value: some Encodable, to name: String) throws {
        let encoder = JSONEncoder.exact
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(value) + Data("\n".utf8), to: path(name))
    }

    func write(_ text: String, to name: String) throws {
        try AtomicFile.write(Data(text.utf8), to: path(name))
    }

    func read<Value: Decodable>(_ name: String) throws -> Value {
        try checkName()
        guard FileManager.default.fileExists(atPath: path(name)) else {
            throw TrainingConfigurationError.notARun(path: url.path, reason: "'\(name)' is missing.")
        }
        return try readConfiguration(path(name))
    }

    /// What the run came to, if it took all of its steps and wrote all of its files.
    func finishedResult() throws -> TrainingResult? {
        try checkName()
        let names = ["result.json", "model.safetensors", "report.json", "report.txt", "index.html"]
        guard names.allSatisfy({ FileManager.default.fileExists(atPath: path($0)) }) else { return nil }
        let record: TrainingResult.Record = try read("result.json")
        guard record.isFinished else { return nil }
        let report = try FileContents.read(path("report.txt"), limit: 1 << 24)
        return TrainingResult(record: record, report: String(decoding: report.dropLast(), as: UTF8.self))
    }

    /// The metrics of an earlier part of the run, up to `step`.
    func metrics(upTo step: Int) throws -> [MetricsRecord] {
        guard let text = try? String(contentsOfFile: path("metrics.jsonl"), encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder.exact.decode(MetricsRecord.self, from: Data($0.utf8))
        }.filter { $0.step <= step }
    }

    func write(_ metrics: [MetricsRecord]) throws {
        let encoder = JSONEncoder.exact
        encoder.outputFormatting = [.sortedKeys]
        let lines = try metrics.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }
        try write(lines.joined(), to: "metrics.jsonl")
    }
}

/// A line of `metrics.jsonl`: where the run was after a step.
struct MetricsRecord: Codable, Equatable {
    let step: Int
    /// What the steps so far cost; infinite without noise.
    let epsilon: Double
    let testLoss: Double?
    let testAccuracy: Double?
    /// In the units of the data's file.
    let testRootMeanSquaredError: Double?
    let testRSquared: Double?

    init(_ progress: TrainingProgress, _ model: RunFolder.Model) throws {
        let evaluation = progress.evaluation.map(model.inUnits)
        step = progress.step
        epsilon = try progress.epsilonSpent()
        testLoss = evaluation?.loss
        testAccuracy = evaluation?.accuracy
        testRootMeanSquaredError = evaluation?.rootMeanSquaredError
        testRSquared = evaluation?.rSquared
    }
}
