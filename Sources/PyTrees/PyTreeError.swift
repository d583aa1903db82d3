/// What can be wrong with a tree, a layout, a vector, or a prefix tree.
///
/// Payloads hold paths, shapes and counts, never the values of leaves.
public enum PyTreeError: Error, Equatable, Sendable {
    /// Two children of a tree, or two leaves of a layout, have the same path.
    case duplicatePath(TreePath)
    /// The path is a leaf or an empty subtree, and leaves lie below it too.
    case leafWithChildren(TreePath)
    /// The leaves of the subtree are not next to each other in the layout.
    case scatteredSubtree(TreePath)
    /// A shape has a dimension below zero.
    case negativeDimension(path: TreePath?, shape: [Int])
    /// The number of elements, or the total up to this leaf, exceeds `Int.max`.
    case elementCountOverflow(path: TreePath?, shape: [Int])
    /// A shape describes another number of elements than there are.
    case elementCountMismatch(path: TreePath?, shape: [Int], count: Int)
    /// A vector was given another number of values than its layout has elements.
    case valueCountMismatch(count: Int, expected: Int)
    /// A leaf has another shape than the layout says.
    case shapeMismatch(path: TreePath, shape: [Int], expected: [Int])
    /// The tree has a leaf that the layout lacks.
    case unexpectedLeaf(TreePath, shape: [Int])
    /// The layout has a leaf where the tree has another one, or ends.
    case missingLeaf(TreePath, shape: [Int], found: TreePath?)
    /// The layout has no leaf at the path.
    case unknownLeaf(TreePath)
    /// The line of a layout's textual form does not parse; lines count from 1.
    case malformedLine(number: Int, text: String)
    /// The prefix tree names something that the layout lacks.
    case prefixWithoutSubtree(TreePath)
    /// The prefix tree has children where the layout has a leaf.
    case prefixBelowLeaf(TreePath)
    /// The prefix tree gives no value to the leaf.
    case uncoveredLeaf(TreePath)
    /// The number of new values is not the number of values in the prefix tree.
    case groupCountMismatch(count: Int, expected: Int)
}

extension PyTreeError: CustomStringConvertible {
    /// What was found, what was expected, and the remedy.
    public var description: String {
        switch self {
        case .duplicatePath(let path):
            "The path \(quoted(path)) occurs twice: give every child of a tree a key of its own."
        case .leafWithChildren(let path):
            "The path \(quoted(path)) is both a leaf (or an empty subtree) and the parent of leaves: "
                + "move one of the two to another path."
        case .scatteredSubtree(let path):
            "The leaves under \(quoted(path)) are not next to each other: list the leaves of a subtree without others "
                + "between them."
        case .negativeDimension(let path, let shape):
            "The shape \(shape)\(place(path)) has a negative dimension: use dimensions of 0 or more."
        case .elementCountOverflow(let path, let shape):
            "The shape \(shape)\(place(path)) brings the number of elements above \(Int.max): use smaller dimensions."
        case .elementCountMismatch(let path, let shape, let count):
            "The shape \(shape)\(place(path)) does not describe \(count) values: "
                + "give as many values as the product of the dimensions."
        case .valueCountMismatch(let count, let expected):
            "The vector was given \(count) values, but its layout has \(expected) elements: give \(expected) values."
        case .shapeMismatch(let path, let shape, let expected):
            "The leaf \(quoted(path)) has the shape \(shape), but the layout expects \(expected): "
                + "reshape it, or use the layout it came from."
        case .unexpectedLeaf(let path, let shape):
            "The tree has the leaf \(quoted(path)) of shape \(shape), which the layout lacks: "
                + "remove it, or use the layout of this tree."
        case .missingLeaf(let path, let shape, let found):
            "The layout expects the leaf \(quoted(path)) of shape \(shape), but the tree "
                + (found.map { "has \(quoted($0)) in its place" } ?? "ends before it")
                + ": visit the leaves of the layout in its order."
        case .unknownLeaf(let path):
            "The layout has no leaf \(quoted(path)): use one of the paths of its leaves."
        case .malformedLine(let number, let text):
            "Line \(number) of the layout, \"\(text)\", is not a path and a shape: write it as path float32[3,4]."
        case .prefixWithoutSubtree(let path):
            "The prefix tree names \(quoted(path)), which the layout lacks: use keys of the layout, one level of "
                + "nesting for each."
        case .prefixBelowLeaf(let path):
            "The prefix tree has children at \(quoted(path)), which is a leaf of the layout: give it one value."
        case .uncoveredLeaf(let path):
            "The prefix tree gives no value to the leaf \(quoted(path)): give one to it or to a subtree that holds it."
        case .groupCountMismatch(let count, let expected):
            "\(count) values were given for a prefix tree that holds \(expected): give \(expected) values."
        }
    }

    private func quoted(_ path: TreePath) -> String {
        path.keys.isEmpty ? "\"\" (the root)" : "\"\(path)\""
    }

    private func place(_ path: TreePath?) -> String {
        path.map { " of \(quoted($0))" } ?? ""
    }

    func decodingError(at codingPath: [any CodingKey]) -> DecodingError {
        .dataCorrupted(
            DecodingError.Context(codingPath: codingPath, debugDescription: description, underlyingError: self))
    }
}
