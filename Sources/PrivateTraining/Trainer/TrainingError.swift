/// What is wrong with a request to train.
public enum TrainingError: Error, Equatable, Sendable {
    /// A number is outside its range.
    case outOfRange(name: String, value: String, allowed: String)
    /// The examples to evaluate on are the training examples.
    case evaluatesOnTrainingData(exampleCount: Int)
}

extension TrainingError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed)."
        case .evaluatesOnTrainingData(let exampleCount):
            "The \(exampleCount) examples to evaluate on are the training examples: losses on them would tell of the "
                + "very examples that training protects. Evaluate on other data, or leave it out."
        }
    }
}
