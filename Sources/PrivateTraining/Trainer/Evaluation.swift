import Datasets
import LinearAlgebra
import PyTrees

/// The loss and accuracy of a model on examples that it was not trained on.
public struct Evaluation: Codable, Hashable, Sendable {
    /// The mean loss.
    public let loss: Double
    /// The share of examples whose class is predicted, or of positions whose class or token is; nil where targets are
    /// numbers.
    public let accuracy: Double?
    /// √(Σ (y − t)² / (examples · numbers)); nil where targets are classes. In units of the targets: those of a
    /// `CSVFile` are scaled to [0, 1], and ``inUnits(of:)`` gives the error in the file's units.
    public let rootMeanSquaredError: Double?
    /// R², the share of the targets' variance that predictions account for, 1 − Σ (y − t)² / Σ (t − t̄)²: 1 is
    /// perfect, and 0 is what the mean of these targets would reach. Nil where targets are classes, or all equal.
    public let rSquared: Double?
    /// The number of examples.
    public let exampleCount: Int
}

extension Evaluation {
    /// The same with ``rootMeanSquaredError`` in the units of a CSV file's target. The loss stays what is trained on,
    /// and R² has no unit.
    public func inUnits(of scale: TargetScale) -> Evaluation {
        Evaluation(
            loss: loss, accuracy: accuracy, rootMeanSquaredError: rootMeanSquaredError.map { $0 * scale.width },
            rSquared: rSquared, exampleCount: exampleCount)
    }
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
        var errors = RegressionErrors()
        for begin in stride(from: 0, to: data.count, by: blockSize) {
            let examples = try data.examples(at: Array(begin..<min(begin + blockSize, data.count)))
            try check(examples)
            let (outputs, losses) = outputsAndLosses(of: examples, at: parameters, workspace: &workspace)
            loss += losses.reduce(0) { $0 + Double($1) }
            switch (predictions(from: outputs), examples.targets) {
            case (.classes(let predicted, _), .classes(let classes, _)):
                classified += classes.count
                correct += zip(predicted, classes).count { $0 == $1 }
            case (.values(let predicted), .values(let values)) where predicted.columns == outputs.columns:
                errors.add(predicted, values)
            // Classes or tokens of positions; those with a negative label do not count.
            case (.values(let predicted), .values(let labels)) where predicted.columns == labels.columns:
                for row in 0..<labels.rows {
                    for column in 0..<labels.columns where labels[row, column] >= 0 {
                        classified += 1
                        correct += predicted[row, column] == labels[row, column] ? 1 : 0
                    }
                }
            default: break
            }
        }
        return Evaluation(
            loss: loss / Double(max(1, data.count)),
            accuracy: classified == 0 ? nil : Double(correct) / Double(classified),
            rootMeanSquaredError: errors.rootMeanSquaredError, rSquared: errors.rSquared, exampleCount: data.count)
    }
}
