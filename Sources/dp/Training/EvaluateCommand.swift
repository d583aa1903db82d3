import ArgumentParser
import CommandLineSupport
import Foundation
import PrivateTraining

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Accuracy and loss of a trained model on labelled data.",
        discussion: "Of the data that the model was trained on, the result is not private.")

    @Option(name: .customLong("run"), help: "The folder that 'dp train' wrote.", completion: .directory)
    var runPath: String

    @Option(help: "A folder with idx files, of which the test set is taken, or a CSV file.", completion: .file())
    var data: String

    @Option(help: "A table for people, or one JSON object.")
    var format: OutputFormat = .table

    func run() throws {
        let model = try TrainedModel(from: RunFolder(runPath))
        let examples = try model.mapped(labelledData(model))
        let evaluation = try model.network.evaluate(on: examples, at: model.parameters)
        if format == .json { return try printJSONLine(evaluation) }
        if let accuracy = evaluation.accuracy { print("accuracy  \(Percent.text(accuracy))") }
        print("loss      \(String(format: "%.4f", evaluation.loss))")
        print("examples  \(evaluation.exampleCount)")
    }

    private func labelledData(_ model: TrainedModel) throws -> InMemoryDataset {
        if DataConfiguration.guess(path: data).kind == .idx { return try IdxFolder(data).test }
        guard let schema = model.description.schema else {
            throw TrainingConfigurationError.notARun(path: runPath, reason: "It was not trained on a CSV file.")
        }
        return try CSVFile(data, schema: schema).dataset
    }
}
