import Datasets
import Differentiation
import LinearAlgebra
import PyTrees
import Requirements

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

    /// The loss of each example. Traps unless the targets fit.
    func losses(of outputs: Matrix, targets: Targets) -> [Float] {
        require(
            targets.count == outputs.rows, "\(targets.count) targets do not fit outputs for \(outputs.rows) examples.")
        do throws(ModelError) {
            try check(targets, outputs: outputs.columns)
        } catch {
            fail(error.description)
        }
        let program = Program(
            parameters: LayerStack(), featureCount: outputs.columns, targetCount: outputs.columns
        ) { _, example in loss(of: example.features, example) }
        let model = FunctionModel(program: program) { _ in ParameterVector(zeros: program.layout) }
        var workspace = model.makeWorkspace()
        return model.outputsAndLosses(
            of: Examples(inputs: outputs, targets: targets), at: model.initialParameters(seed: 0),
            workspace: &workspace
        ).losses
    }

    /// The loss of an example's outputs, against its target.
    func loss(of outputs: Value, _ example: ExampleValues) -> Loss {
        switch self {
        case .squaredError: Differentiation.squaredError(outputs, example.target)
        case .logistic: logisticLoss(outputs, example.label)
        case .softmaxCrossEntropy: Differentiation.softmaxCrossEntropy(outputs, example.label)
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
