/// What training is asked for and cannot do.
public enum TrainingError: Error, Equatable, Sendable {
    /// A number is outside its range.
    case outOfRange(name: String, value: String, allowed: String)
    /// The data does not fit the model.
    case dataDoesNotFitModel(what: String, data: Int, model: Int)
}

extension TrainingError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed)."
        case .dataDoesNotFitModel(let what, let data, let model):
            "The data has \(data) \(what), but the model has \(model): choose a model for \(data) \(what)."
        }
    }
}
