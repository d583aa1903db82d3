import PyTrees
import Requirements

/// What can be wrong with a mapping, or between it, a file and the leaves.
public enum WeightMappingProblem: Error, Equatable, Sendable {
    /// Where a rule leads is no path.
    case notAPath(String)
    /// A part of a name or a path has several stars.
    case severalStars(part: String, text: String)
    /// A rule has another number of stars on its one side than on its other.
    case starCountMismatch(from: String, to: String)
    /// Rows that are none: [begin, end].
    case invalidRows([Int], from: String)
    /// An image of no pixels: [height, width].
    case invalidSize([Int], from: String)
    /// No leaf is called as a rule says; `known` are those that there are.
    case ruleWithoutLeaf(to: String, from: String, known: [TreePath])
    /// A rule matches a tensor of the file, and the leaf that it leads to does not exist.
    case missingLeaf(TreePath, tensor: String, known: [TreePath])
    /// The file lacks the tensor that a leaf is; `known` are those that it has.
    case missingTensor(String, leaf: TreePath, known: [String])
    /// Two rules fill a leaf, from the tensors `by`.
    case leafFilledTwice(TreePath, by: [String])
    /// No rule fills the leaves, and `allowMissing` does not have them.
    case leavesLeftOut([TreePath])
    /// `allowMissing` has a path at which there is nothing.
    case nothingToAllow(TreePath, known: [TreePath])
    /// A leaf has a shape that a rule's order cannot lay out.
    case orderDoesNotFit(String, size: [Int]?, leaf: TreePath, leafShape: [Int])
    /// A rule takes another number of rows than its leaf needs; nil if the leaf has none.
    case rowsDoNotFit([Int], tensor: String, leaf: TreePath, leafShape: [Int], needed: Int?)
    /// A tensor has another shape than the leaf needs, or fewer rows than the rule takes.
    case shapeMismatch(
        tensor: String, shape: [Int], rows: [Int]?, expected: [Int], leaf: TreePath, leafShape: [Int])
    /// Two leaves would be written to the same rows of a tensor.
    case rowsWrittenTwice(tensor: String, row: Int, leaves: [TreePath])
    /// No leaf is written to rows of a tensor of which others are.
    case rowsLeftOut(tensor: String, rows: [Int])
    /// Two leaves that are rows of a tensor need rows of other shapes.
    case rowShapesDiffer(tensor: String, leaves: [TreePath], shapes: [[Int]])
}

extension WeightMappingProblem: CustomStringConvertible {
    /// What was found, on both sides, and the remedy. Control characters of names are escaped.
    public var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .notAPath(let text):
            "\"\(text)\" is not a path: write keys joined by \"/\", with ~1 for / and ~0 for ~."
        case .severalStars(let part, let text):
            "\"\(part)\" in \"\(text)\" has several stars: write one at most between two separators."
        case .starCountMismatch(let from, let to):
            "\"\(from)\" and \"\(to)\" have different numbers of stars: what each stands for in the tensor's name is "
                + "what it stands for in the leaf's path."
        case .invalidRows(let rows, let from):
            "the rows \(rows) of \"\(from)\" are none: give a begin of at least 0 and a larger end, such as [0, 64]."
        case .invalidSize(let size, let from):
            "the size \(size) of \"\(from)\" has no pixels: give a height and a width of at least 1, such as [3, 3]."
        case .ruleWithoutLeaf(let to, let from, let known):
            "the rule from \"\(from)\" leads to \"\(to)\", and the model has no such leaf: "
                + Self.choice(for: to, among: known.map(\.description))
        case .missingLeaf(let path, let tensor, let known):
            "the tensor \"\(tensor)\" leads to '\(path)', and the model has no such leaf: "
                + Self.choice(for: path.description, among: known.map(\.description))
        case .missingTensor(let name, let leaf, let known):
            "the leaf '\(leaf)' is to be the tensor \"\(name)\", and the file has no such tensor: "
                + Self.choice(for: name, among: known)
        case .leafFilledTwice(let path, let tensors):
            "two rules fill the leaf '\(path)', from \(Self.list(tensors)): leave one of them out."
        case .leavesLeftOut(let paths):
            "no rule fills \(Self.list(paths.map(\.description))): add a rule, or list what may be missing in "
                + "allowMissing."
        case .nothingToAllow(let path, let known):
            "allowMissing has '\(path)', and the model has nothing there: "
                + Self.choice(for: path.description, among: known.map(\.description))
        case .orderDoesNotFit(let order, let size, let leaf, let shape):
            "the leaf '\(leaf)' has the shape \(shape), but the order \(order) needs a kernel [inputs, outputs]"
                + (size.map { ", whose inputs are a multiple of the \($0[0]) × \($0[1]) pixels" } ?? "")
                + ": give another order, or the size that it has."
        case .rowsDoNotFit(let rows, let tensor, let leaf, let shape, let needed):
            "the rows \(rows) of \"\(tensor)\" are \(rows[1] - rows[0]), but the leaf '\(leaf)' of shape \(shape) "
                + "needs "
                + (needed.map { "\($0) of them: give as many." } ?? "a tensor without rows: leave them out.")
        case .shapeMismatch(let tensor, let shape, let rows, let expected, let leaf, let leafShape):
            "the tensor \"\(tensor)\" has the shape \(shape), but the leaf '\(leaf)' of shape \(leafShape) needs "
                + (rows.map { "its rows \($0) to have the shape \(expected)" } ?? "\(expected)")
                + ": read a file of the same model, or give another order."
        case .rowsWrittenTwice(let tensor, let row, let leaves):
            "row \(row) of the tensor \"\(tensor)\" would be written twice, from "
                + "\(Self.list(leaves.map(\.description))): leave one of the two out of the mapping that is written by."
        case .rowsLeftOut(let tensor, let rows):
            "no leaf is written to the rows \(rows) of the tensor \"\(tensor)\": add the rule that fills them."
        case .rowShapesDiffer(let tensor, let leaves, let shapes):
            "\(Self.list(leaves.map(\.description))) are to be rows of the tensor \"\(tensor)\", but of the shapes "
                + "\(shapes[0]) and \(shapes[1]): give them tensors of their own."
        }
    }

    private static func choice(for name: String, among known: [String]) -> String {
        nearest(to: name, among: known).map { "did you mean '\($0)'?" } ?? "choose among \(list(known))."
    }

    /// The first of the names, and how many there are of many.
    private static func list(_ names: [String]) -> String {
        if names.isEmpty { return "none" }
        let shown = names.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 8 ? "\(shown), … (\(names.count) in all)" : shown
    }
}
