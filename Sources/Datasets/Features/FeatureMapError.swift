/// What is wrong with a feature map that configuration asks for.
public enum FeatureMapError: Error, Equatable, Sendable {
    /// One of its numbers is out of range.
    case outOfRange(name: String, value: String, allowed: String)
    /// The data has other inputs than it takes.
    case inputMismatch(expected: Int, found: Int)
}

extension FeatureMapError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed):
            "The \(name) of the features is \(value), but must be \(allowed)."
        case .inputMismatch(let expected, let found):
            "The features are made of \(expected) inputs, but the data has \(found): give the features the shape of "
                + "the images, or leave them out."
        }
    }
}
