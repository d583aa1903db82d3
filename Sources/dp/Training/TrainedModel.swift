import Foundation
import PrivateTraining
import PyTrees

/// A model that `dp train` wrote, with all that stands between a file and its predictions.
struct TrainedModel {
    let network: Network
    let parameters: ParameterVector
    let description: RunFolder.Model

    /// Reads the model from a run's folder. Throws `TrainingConfigurationError`, `FileError` and `ModelError`.
    init(from folder: RunFolder) throws {
        description = try folder.read("model.json")
        network = try Network(description.architecture)
        parameters = try SafeTensors.read(folder.path("model.safetensors"), as: network.layout).parameters
    }

    /// What the model's inputs are for examples as they are read.
    func mapped(_ data: InMemoryDataset) throws -> InMemoryDataset {
        try description.features?.map(data) ?? data
    }

    /// Throws `DatasetError.featureTypeMismatch` if features of `type`, unsigned bytes as those of idx files unless
    /// said otherwise, are scaled in another way than those that the model was trained on.
    func checkType(_ type: String = "|u1", isByte: Bool = true, of path: String) throws(DatasetError) {
        if let byteInputs = description.byteInputs, byteInputs != isByte {
            throw .featureTypeMismatch(path: path, type: type, trainedOnBytes: byteInputs)
        }
    }

    /// The number of classes; nil if the model predicts numbers.
    var classCount: Int? {
        switch description.architecture.loss {
        case .squaredError, .nextToken: nil
        case .logistic: 2
        case .softmaxCrossEntropy: network.outputCount
        }
    }

    /// The number that an output predicts, in the units of the data's file.
    ///
    /// Without units of a file, the number that the output's shortest decimal says: of 0.1 it is 0.1.
    func value(ofOutput output: Float) -> Double {
        description.schema?.target.map { $0.value(ofEncoded: output) } ?? Double("\(output)") ?? Double(output)
    }

    /// The names of the classes where the data has them, their numbers elsewhere.
    func name(of label: Int) -> String {
        guard let classes = description.schema?.classes, classes.indices.contains(label) else { return "\(label)" }
        return classes[label]
    }
}
