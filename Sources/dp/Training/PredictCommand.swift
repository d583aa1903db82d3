import ArgumentParser
import CommandLineSupport
import Foundation
import PrivateTraining

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "What a trained model says of new data: CSV with a line for each example.")

    @Option(name: .customLong("run"), help: "The folder that 'dp train' wrote.", completion: .directory)
    var runPath: String

    @Option(
        help: """
            A CSV file, a text file, a .npy file, an idx file of images; or a folder with idx files or a .npz file, of \
            which the test set is taken.
            """,
        completion: .file())
    var data: String

    @Option(
        help: "A .npy file with the lengths of the sequences in a .npy file.", completion: .file(extensions: ["npy"]))
    var lengths: String?

    @Option(help: "A column of the CSV file, whose texts are written in the place of each example's number.")
    var id: String?

    @Flag(help: "The CSV file has no column for the label or target; a text file's lines have no label.")
    var withoutLabelColumn = false

    @Flag(help: "Write the score of each class, too.")
    var scores = false

    @Flag(help: "Write the probability of each class, too.")
    var probabilities = false

    @Flag(help: "Read examples from disk when they are needed, and not all of them into memory.")
    var stream = false

    @Option(help: "The file to write; standard output if it is left out.", completion: .file(extensions: ["csv"]))
    var output: String?

    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self)
        try check.finish()
        let model = try TrainedModel(from: RunFolder(runPath))
        try refuseUnused(model)
        let examples = try model.mapped(unlabelledData(model))
        try model.network.checkInputs(of: examples)
        let ids = try readIDs(model)
        var lines = [header(model)]
        // Not a block more than is needed: what is read from disk may not fit into memory.
        for begin in stride(from: 0, to: examples.count, by: 1024) {
            let block = try examples.examples(at: Array(begin..<min(begin + 1024, examples.count)))
            try model.network.checkInputs(block.inputs, lengths: block.lengths)
            model.network.forEachBlock(
                of: block.inputs, lengths: block.lengths, at: model.parameters
            ) { outputs in
                let predictions = model.network.predictions(from: outputs)
                for row in 0..<outputs.rows {
                    let values = outputs.withRow(row) { row in row.indices.map { row[$0] } }
                    var fields = [ids?[lines.count - 1] ?? "\(lines.count - 1)"]
                    switch predictions {
                    case .classes(let classes, _):
                        fields.append(model.name(of: classes[row]))
                        if scores { fields += values.map { "\($0)" } }
                        if probabilities { fields += ClassProbabilities(scores: values).values.map { "\($0)" } }
                    case .values(let numbers):
                        fields += numbers.withRow(row) { row in
                            row.indices.map { "\(model.value(ofOutput: row[$0]))" }
                        }
                    }
                    lines.append(CSVWriter.record(fields))
                }
            }
        }
        let text = lines.joined(separator: "\n") + "\n"
        if let output { try AtomicFile.write(Data(text.utf8), to: output) } else { print(text, terminator: "") }
    }

    /// Throws `TrainingConfigurationError.unused` for options that mean nothing for the model.
    private func refuseUnused(_ model: TrainedModel) throws {
        func refuse(_ option: String, _ isGiven: Bool, _ reason: String) throws {
            if isGiven { throw TrainingConfigurationError.unused(what: [option], reason: "\(reason); leave it out") }
        }
        if model.classCount == nil {
            let reason = "the model predicts numbers, and scores are those of classes"
            try refuse("--scores", scores, reason)
            try refuse("--probabilities", probabilities, reason.replacing("scores", with: "probabilities"))
        }
        let isCSV = model.description.schema != nil
        if !isCSV, model.description.text?.labels == nil {
            try refuse(
                "--without-label-column", withoutLabelColumn,
                "the model was not trained on a CSV file, and its data has no columns")
        }
        if !isCSV {
            try refuse("--id", id != nil, "the model was not trained on a CSV file, and its data has no columns")
        }
        let kind = try model.kind(ofDataAt: data)
        if kind != .numpy { try refuse("--lengths", lengths != nil, "'\(data)' is read as \(kind.rawValue) data") }
        try model.checkStreaming(stream, of: kind, at: data)
    }

    /// The texts of the column for ids, as they are; nil if nobody asks for them.
    private func readIDs(_ model: TrainedModel) throws -> [String]? {
        guard let id, let schema = try csvSchema(model) else { return nil }
        return try CSVFile.texts(ofColumn: id, in: data, schema: schema, allowsMissing: true)
    }

    /// The schema for the CSV file, with or without columns for label, owners and ids; nil if there is none.
    private func csvSchema(_ model: TrainedModel) throws -> CSVSchema? {
        guard let schema = try model.description.schema(for: data)?.withoutLabel(hasColumn: !withoutLabelColumn) else {
            return nil
        }
        // A column that is a feature is copied, and stays one.
        guard let id, !schema.columns.contains(where: { $0.name == id }) else { return schema }
        return try schema.ignoring(id, in: data) ?? schema
    }

    private func header(_ model: TrainedModel) -> String {
        let count = model.network.outputCount
        let first = id ?? "example"
        guard let classCount = model.classCount else {
            if let target = model.description.schema?.target { return CSVWriter.record([first, target.column]) }
            if model.description.architecture.loss == .nextToken {
                return CSVWriter.record([first] + (0..<model.network.featureCount).map { "next\($0)" })
            }
            return CSVWriter.record([first] + (0..<count).map { "value\($0)" })
        }
        let names = count == 1 ? ["score"] : (0..<count).map { "score \(model.name(of: $0))" }
        let shares = (0..<classCount).map { "probability \(model.name(of: $0))" }
        return CSVWriter.record([first, "class"] + (scores ? names : []) + (probabilities ? shares : []))
    }

    private func unlabelledData(_ model: TrainedModel) throws -> any Dataset {
        let reader = DataReader(streams: stream)
        if let schema = try csvSchema(model) { return try reader.csv(data, schema).dataset }
        switch try model.kind(ofDataAt: data) {
        case .text: return try reader.text(data, model.textFormat(runPath), isLabelled: !withoutLabelColumn)
        case .idx:
            try model.checkType(of: data)
            return try IdxFolder(data, classCount: model.classCount ?? DataConfiguration.idxClassCount).test
        case .numpy:
            let file = try reader.unlabelled(
                data, lengths: lengths, inputs: model.description.inputs ?? .features)
            try model.check(file, of: data)
            return file.test ?? file.dataset
        case .csv, .digits: break
        }
        try model.checkType(of: data)
        let images = try IdxFile.readImages(data).pixels
        let targets = Targets.classes(Array(repeating: 0, count: images.rows), classCount: model.network.outputCount)
        return InMemoryDataset(inputs: images, targets: targets)
    }
}

extension Network {
    /// Throws `ModelError` unless the examples have as many features as the model.
    func checkInputs(of data: any Dataset) throws(ModelError) {
        guard data.featureCount == featureCount else {
            throw .widthMismatch(.inputs, model: featureCount, data: data.featureCount)
        }
    }
}
