import LinearAlgebra
import PyTrees

/// How well a model does on examples that it was not trained on.
public struct Evaluation: Codable, Hashable, Sendable {
    /// The mean loss.
    public let loss: Double
    /// The share of examples whose class has the highest score; nil where targets are numbers.
    public let accuracy: Double?
    /// How many examples were looked at.
    public let exampleCount: Int
}

extension TrainableModel {
    /// Evaluates the model on all of `data`, in blocks. Of training data the result is **not private**.
    ///
    /// Throws what reading the data throws, and ``TrainingError/dataDoesNotFitModel(what:data:model:)``.
    public func evaluate(
        on data: some Dataset, at parameters: ParameterVector, blockSize: Int = 1024
    ) throws -> Evaluation {
        var workspace = makeWorkspace()
        var (loss, correct, counted) = (0.0, 0, 0)
        for begin in stride(from: 0, to: data.count, by: blockSize) {
            let examples = try data.examples(at: Array(begin..<min(begin + blockSize, data.count)))
            try checkFits(examples)
            let outputs = outputs(for: examples.inputs, at: parameters, workspace: &workspace)
            loss += losses(of: outputs, targets: examples.targets).reduce(0) { $0 + Double($1) }
            if case .classes(let classes, _) = examples.targets {
                counted += classes.count
                correct += zip(predictedClasses(of: outputs), classes).count { $0 == $1 }
            }
        }
        return Evaluation(
            loss: loss / Double(max(1, data.count)), accuracy: counted == 0 ? nil : Double(correct) / Double(counted),
            exampleCount: data.count)
    }

    /// The class of the highest score in each row; with a single score, class 1 where it is above 0.
    public func predictedClasses(of outputs: Matrix) -> [Int] {
        (0..<outputs.rows).map { row in
            outputs.withRow(row) { scores in
                if scores.count == 1 { return scores[0] > 0 ? 1 : 0 }
                var best = 0
                for index in 0..<scores.count where scores[index] > scores[best] { best = index }
                return best
            }
        }
    }

    func checkFits(_ examples: Examples) throws(TrainingError) {
        guard examples.inputs.columns == featureCount else {
            throw .dataDoesNotFitModel(what: "features", data: examples.inputs.columns, model: featureCount)
        }
        let needed = examples.targets.outputCount
        let isBinaryScore = outputCount == 1 && needed == 2
        guard needed == outputCount || isBinaryScore else {
            throw .dataDoesNotFitModel(what: "outputs", data: needed, model: outputCount)
        }
    }
}
