/// What training is asked for and cannot do.
public enum TrainingError: Error, Equatable, Sendable {
    /// A number is outside its range.
    case outOfRange(name: String, value: String, allowed: String)
}

extension TrainingError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed)."
        }
    }
}
