import PyTrees

/// What can be wrong with the values that configuration and checkpoints bring to a gradient transformation.
public enum GradientTransformationError: Error, Equatable, Sendable {
    /// A hyperparameter lies outside its range, which `allowed` describes.
    case invalidHyperparameter(name: String, value: Double, allowed: String)
    /// A mask or labels were made for another layout than the parameters have.
    case layoutMismatch(of: String, found: TreeLayout, expected: TreeLayout)
}

extension GradientTransformationError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .invalidHyperparameter(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed)."
        case .layoutMismatch(let subject, let found, let expected):
            "The \(subject) is for the layout\n\(found)\nbut the parameters have\n\(expected)\n"
                + "Make it from the parameters' layout."
        }
    }
}
