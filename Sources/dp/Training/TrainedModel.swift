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
    func mapped(_ data: any Dataset) throws -> any Dataset {
        let features = try description.features?.map(data) ?? data
        guard let normalization = description.normalization else { return features }
        guard features.featureCount.isMultiple(of: normalization.channelCount) else {
            throw PlanError.channelsDoNotFit(channels: normalization.channelCount, features: features.featureCount)
        }
        return NormalizedDataset(features, by: normalization)
    }

    /// Throws `DatasetError.featureTypeMismatch` if features of `type`, unsigned bytes as those of idx files unless
    /// said otherwise, are scaled in another way than those that the model was trained on.
    func checkType(_ type: String = "|u1", isByte: Bool = true, of path: String) throws(DatasetError) {
        if let byteInputs = description.byteInputs, byteInputs != isByte {
            throw .featureTypeMismatch(path: path, type: type, trainedOnBytes: byteInputs)
        }
    }

    /// The same for arrays of NumPy's; throws `TrainingConfigurationError.unused` if they were read as token ids, and
    /// the model takes features.
    func check(_ file: NumPyData, of path: String) throws {
        guard file.inputs == .features || description.inputs == .tokens else {
            throw TrainingConfigurationError.unused(
                what: ["The lengths of '\(path)'"],
                reason:
                    "whole numbers with lengths are token ids, but the model was trained on features; leave them out")
        }
        try checkType(file.featureType, isByte: file.hasByteFeatures, of: path)
    }

    /// The kind of the data at `path`: the model's own where it says so, and else what the path's name says.
    func kind(ofDataAt path: String) throws -> DataConfiguration.Kind {
        let guess = try DataConfiguration.guess(path: path).kind
        return description.schema != nil ? .csv : description.text != nil ? .text : guess
    }

    /// The format of the texts that the model was trained on; throws `TrainingConfigurationError.notARun` if it was
    /// not trained on any. `path` is the run's folder.
    func textFormat(_ path: String) throws -> TextFormat {
        guard let text = description.text else {
            throw TrainingConfigurationError.notARun(path: path, reason: "It was not trained on a text.")
        }
        return text
    }

    /// Throws `TrainingConfigurationError.unused` if data of the kind is to be streamed that cannot be.
    func checkStreaming(_ streams: Bool, of kind: DataConfiguration.Kind, at path: String) throws {
        guard streams, kind == .idx || kind == .digits else { return }
        throw TrainingConfigurationError.unused(
            what: ["--stream"], reason: "'\(path)' is read into memory as a whole; leave it out")
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
        let names = description.schema?.classes ?? description.text?.labels
        guard let classes = names, classes.indices.contains(label) else { return "\(label)" }
        return classes[label]
    }
}
