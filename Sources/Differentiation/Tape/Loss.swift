import Requirements

/// What a model's function returns: one example's loss, and the outputs that it judges.
public struct Loss {
    /// What training makes small: shape `[]`.
    public let value: Value
    /// What the model says about the example: scores, or numbers.
    public let outputs: Value
    /// How the outputs are read.
    public let function: LossFunction

    /// A loss of your own.
    ///
    /// - Parameters:
    ///   - value: shape `[]`. Traps if it has another.
    ///   - outputs: what is read. Traps if next tokens are read from another shape than `[positions, vocabulary]`.
    ///   - function: how outputs are read: as scores of classes, or as numbers.
    public init(_ value: Value, outputs: Value, readAs function: LossFunction) {
        require(value.shape.isEmpty, "A loss is one number, and not a value of shape \(value.shape).")
        require(
            function != .nextToken || outputs.shape.count == 2,
            "Next tokens are read from scores of shape [positions, vocabulary], and not \(outputs.shape).")
        (self.value, self.outputs, self.function) = (value, outputs, function)
    }

    /// The sum with a further term, such as a penalty on the example's outputs.
    public static func + (loss: Loss, term: Value) -> Loss {
        Loss(loss.value + term, outputs: loss.outputs, readAs: loss.function)
    }
}

/// What training makes small: a number for each example, from a model's outputs and the example's target.
public enum LossFunction: String, Codable, CaseIterable, Hashable, Sendable {
    /// ½ ‖y − t‖², for numbers.
    case squaredError
    /// ln(1 + e^y) − t·y for one score y and a class t of 0 or 1.
    case logistic
    /// ln Σ_j e^{y_j} − y_t for scores y and a class t.
    case softmaxCrossEntropy
    /// The mean over positions of the cross-entropy of scores and the next token. Targets are not used.
    case nextToken
}
