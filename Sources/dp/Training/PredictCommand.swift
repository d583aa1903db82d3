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
            A CSV file, a .npy file, an idx file of images; or a folder with idx files or a .npz file, of which the \
            test set is taken.
            """,
        completion: .file())
    var data: String

    @Flag(help: "The CSV file has no column for the label or target.")
    var withoutLabelColumn = false

    @Flag(help: "Write the score of each class, too.")
    var scores = false

    @Option(help: "The file to write; standard output if it is left out.", completion: .file(extensions: ["csv"]))
    var output: String?

    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self)
        try check.finish()
        let model = try TrainedModel(from: RunFolder(runPath))
        if scores, model.classCount == nil {
            throw TrainingConfigurationError.unused(
                what: ["--scores"], reason: "the model predicts numbers, and scores are those of classes; leave it out")
        }
        if withoutLabelColumn, model.description.schema == nil {
            throw TrainingConfigurationError.unused(
                what: ["--without-label-column"],
                reason: "the model was not trained on a CSV file, and its data has no columns; leave it out")
        }
        let examples = try model.mapped(unlabelledData(model))
        try model.network.checkInputs(of: examples)
        var lines = [header(model)]
        model.network.forEachBlock(of: examples.inputs, at: model.parameters) { outputs in
            let predictions = model.network.predictions(from: outputs)
            for row in 0..<outputs.rows {
                let values = outputs.withRow(row) { row in row.indices.map { row[$0] } }
                var fields = ["\(lines.count - 1)"]
                switch predictions {
                case .classes(let classes, _):
                    fields.append(model.name(of: classes[row]))
                    if scores { fields += values.map { "\($0)" } }
                case .values: fields += values.map { "\(model.value(ofOutput: $0))" }
                }
                lines.append(CSVWriter.record(fields))
            }
        }
        let text = lines.joined(separator: "\n") + "\n"
        if let output { try AtomicFile.write(Data(text.utf8), to: output) } else { print(text, terminator: "") }
    }

    private func header(_ model: TrainedModel) -> String {
        let count = model.network.outputCount
        guard model.description.architecture.loss != .squaredError else {
            if let target = model.description.schema?.target { return CSVWriter.record(["example", target.column]) }
            return CSVWriter.record(["example"] + (0..<count).map { "value\($0)" })
        }
        let names = count == 1 ? ["score"] : (0..<count).map { "score \(model.name(of: $0))" }
        return CSVWriter.record(["example", "class"] + (scores ? names : []))
    }

    private func unlabelledData(_ model: TrainedModel) throws -> InMemoryDataset {
        if let schema = try model.description.schema(for: data) {
            return try CSVFile(data, schema: schema.withoutLabel(hasColumn: !withoutLabelColumn)).dataset
        }
        switch try DataConfiguration.guess(path: data).kind {
        case .idx:
            try model.checkType(of: data)
            return try IdxFolder(data, classCount: model.classCount ?? DataConfiguration.idxClassCount).test
        case .numpy:
            let file = try NumPyFile(features: data)
            try model.checkType(file.featureType, isByte: file.hasByteFeatures, of: data)
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
    /// Throws `ModelError` unless the model takes the examples' inputs.
    func checkInputs(of data: InMemoryDataset) throws(ModelError) { try checkInputs(data.inputs, lengths: nil) }
}
