import Datasets
import LinearAlgebra

/// What training makes small: a number for each example, from a model's outputs and the example's target.
public enum LossFunction: String, Codable, CaseIterable, Hashable, Sendable {
    /// ½ ‖y − t‖², for numbers.
    case squaredError
    /// ln(1 + e^y) − t·y for one score y and a class t of 0 or 1.
    case logistic
    /// ln Σ_j e^{y_j} − y_t for scores y and a class t.
    case softmaxCrossEntropy
}

extension LossFunction {
    /// The number of classes of a model with so many outputs; nil for numbers.
    func classCount(outputs: Int) -> Int? {
        switch self {
        case .squaredError: nil
        case .logistic: 2
        case .softmaxCrossEntropy: outputs
        }
    }

    /// Throws unless a model with so many outputs can learn such targets: for data from outside.
    func check(_ targets: Targets, outputs: Int) throws(ModelError) {
        switch (targets, classCount(outputs: outputs)) {
        case (.values(let values), nil):
            if values.columns != outputs { throw .widthMismatch(.outputs, model: outputs, data: values.columns) }
        case (.classes(let classes, let count), let expected?):
            if count != expected { throw .widthMismatch(.outputs, model: expected, data: count) }
            for (example, value) in classes.enumerated() where value < 0 || value >= count {
                throw .classOutOfRange(value, classCount: count, example: example)
            }
        default: throw .targetKindMismatch(loss: self)
        }
    }

    /// What the outputs say: the class of the highest score (the first of several), or the numbers as they are.
    func predictions(from outputs: Matrix) -> Targets {
        switch self {
        case .squaredError: return .values(outputs)
        case .logistic: return .classes((0..<outputs.rows).map { outputs[$0, 0] > 0 ? 1 : 0 }, classCount: 2)
        case .softmaxCrossEntropy:
            let classes = (0..<outputs.rows).map { row in
                outputs.withRow(row) { scores in
                    scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
                }
            }
            return .classes(classes, classCount: outputs.columns)
        }
    }
}
