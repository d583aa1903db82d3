import LinearAlgebra
import PyTrees

/// The loss and accuracy of a model on examples that it was not trained on.
public struct Evaluation: Codable, Hashable, Sendable {
    /// The mean loss.
    public let loss: Double
    /// The share of examples whose class is predicted; nil where targets are numbers.
    public let accuracy: Double?
    /// The number of examples.
    public let exampleCount: Int
}

extension TrainableModel {
    /// Evaluates the model on all of `data`, in blocks. Of training data the result is **not private**.
    ///
    /// Throws what reading the data throws, and `ModelError` if the data does not fit the model.
    public func evaluate(
        on data: some Dataset, at parameters: Parameters, blockSize: Int = 1024
    ) throws -> Evaluation {
        var workspace = makeWorkspace()
        var (loss, correct, classified) = (0.0, 0, 0)
        for begin in stride(from: 0, to: data.count, by: blockSize) {
            let examples = try data.examples(at: Array(begin..<min(begin + blockSize, data.count)))
            try check(featureCount: examples.inputs.columns, targets: examples.targets)
            let outputs = outputs(for: examples.inputs, at: parameters, workspace: &workspace)
            loss += losses(of: outputs, targets: examples.targets).reduce(0) { $0 + Double($1) }
            if case .classes(let classes, _) = examples.targets,
                case .classes(let predicted, _) = predictions(from: outputs)
            {
                classified += classes.count
                correct += zip(predicted, classes).count { $0 == $1 }
            }
        }
        return Evaluation(
            loss: loss / Double(max(1, data.count)),
            accuracy: classified == 0 ? nil : Double(correct) / Double(classified), exampleCount: data.count)
    }
}
