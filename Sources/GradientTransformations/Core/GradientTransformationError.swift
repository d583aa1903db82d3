import PyTrees

/// What can be wrong with the values that configuration and checkpoints bring to a gradient transformation.
public enum GradientTransformationError: Error, Equatable, Sendable {
    /// A hyperparameter lies outside its range, which `allowed` describes.
    case invalidHyperparameter(name: String, value: Double, allowed: String)
    /// A mask or labels were made for another layout than the parameters have.
    case layoutMismatch(of: String, found: TreeLayout, expected: TreeLayout)
    /// No leaf has the label; `known` are those that some have.
    case unknownLabel(String, known: [String])
    /// A partition gives the leaf to nobody.
    case leafInNoPart(TreePath)
    /// A partition gives the leaf to several transformations.
    case leafInTwoParts(TreePath)
    /// A checkpoint holds the state of another optimizer; both by their identifiers.
    case checkpointOfAnotherOptimizer(found: String, expected: String)
}

extension GradientTransformationError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .invalidHyperparameter(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed)."
        case .unknownLabel(let label, let known):
            "No leaf has the label '\(label)': use one of \(known)."
        case .leafInNoPart(let path):
            "The partition gives the leaf '\(path)' to no transformation: add it to one of the masks."
        case .leafInTwoParts(let path):
            "The partition gives the leaf '\(path)' to several transformations: make the masks disjoint."
        case .checkpointOfAnotherOptimizer(let found, let expected):
            "The checkpoint is of \(found), but the optimizer is \(expected): restore it with the optimizer it was "
                + "made by."
        case .layoutMismatch(let subject, let found, let expected):
            "The \(subject) is for the layout\n\(found)\nbut the parameters have\n\(expected)\n"
                + "Make it from the parameters' layout."
        }
    }
}
