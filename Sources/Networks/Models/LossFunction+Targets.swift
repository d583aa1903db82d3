import Datasets
import Differentiation
import LinearAlgebra
import PyTrees
import Requirements

extension LossFunction {
    /// The number of classes of a model with so many outputs; nil for numbers.
    func classCount(outputs: Int) -> Int? {
        switch self {
        case .squaredError, .nextToken: nil
        case .logistic: 2
        case .softmaxCrossEntropy: outputs
        }
    }

    /// Throws unless a model with outputs of such a shape can learn such targets: for data from outside.
    func check(_ targets: Targets, outputShape: [Int]) throws(ModelError) {
        if self == .nextToken {
            // Classes of sequences, or their next tokens, may be there, and are not looked at.
            if case .values(let values) = targets, values.columns > 0, values.columns != outputShape[0] {
                throw .targetKindMismatch(loss: self)
            }
            return
        }
        if self == .softmaxCrossEntropy, outputShape.count > 1, case .values(let labels) = targets {
            return try Self.check(labels: labels, outputShape: outputShape)
        }
        let outputs = outputShape.reduce(1, *)
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

    /// Throws unless there is a label for each position, a class or a negative number, which is ignored.
    private static func check(labels: Matrix, outputShape: [Int]) throws(ModelError) {
        let (positions, classCount) = (outputShape.dropLast().reduce(1, *), outputShape.last!)
        if labels.columns != positions {
            throw .labelCountMismatch(labels: labels.columns, positions: positions)
        }
        for example in 0..<labels.rows {
            for position in 0..<positions {
                let label = labels[example, position]
                // Not a number is in neither range.
                guard label < 0 || label < Float(classCount) && label == label.rounded() else {
                    throw .labelOutOfRange(label, classCount: classCount, example: example)
                }
            }
        }
    }

    /// The loss of each example. Traps unless the targets fit.
    func losses(of outputs: Matrix, targets: Targets) -> [Float] {
        require(
            targets.count == outputs.rows, "\(targets.count) targets do not fit outputs for \(outputs.rows) examples.")
        do throws(ModelError) {
            try check(targets, outputShape: [outputs.columns])
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

    /// The loss of an example's outputs, against its target, or against its tokens.
    func loss(of outputs: Value, _ example: ExampleValues) -> Loss {
        switch self {
        case .squaredError: Differentiation.squaredError(outputs.reshaped(outputs.count), example.target)
        case .logistic: logisticLoss(outputs.reshaped(outputs.count), example.label)
        case .softmaxCrossEntropy:
            Differentiation.softmaxCrossEntropy(outputs.reshaped(outputs.count), example.label)
        case .nextToken: nextTokenLoss(outputs, example.tokens)
        }
    }

    /// What the outputs, each of `shape`, say: the class of the highest score (the first of several), the numbers as
    /// they are, or the likeliest class or next token for each position.
    func predictions(from outputs: Matrix, shape: [Int]) -> Targets {
        switch self {
        case .squaredError: return .values(outputs)
        case .logistic: return .classes((0..<outputs.rows).map { outputs[$0, 0] > 0 ? 1 : 0 }, classCount: 2)
        case .softmaxCrossEntropy where shape.count < 2:
            return .classes(outputs.places(ofLargestOf: outputs.columns), classCount: outputs.columns)
        case .softmaxCrossEntropy, .nextToken:
            let classCount = shape.last!
            return .values(
                Matrix(
                    rows: outputs.rows, columns: outputs.columns / classCount,
                    elements: outputs.places(ofLargestOf: classCount).map(Float.init)))
        }
    }
}

extension Matrix {
    /// The place of the largest, the first of several, of each `count` numbers of each row.
    fileprivate func places(ofLargestOf count: Int) -> [Int] {
        (0..<rows).flatMap { row in
            withRow(row) { numbers in
                stride(from: 0, to: columns, by: count).map { begin in
                    (0..<count).reduce(0) { numbers[begin + $1] > numbers[begin + $0] ? $1 : $0 }
                }
            }
        }
    }
}
