import PyTrees

/// A label for every leaf of a layout, to tell which transformation a leaf belongs to.
///
///     let labels = try TreeLabels(["dense": ["kernel": "matrix", "bias": "vector"]], layout: parameters.layout)
public struct TreeLabels: Hashable, Sendable {
    /// The layout whose leaves are labelled.
    public let layout: TreeLayout

    /// For each leaf, in layout order, its label.
    public let labels: [String]

    /// The labels that `prefix` gives to subtrees; throws if it does not fit the layout.
    public init(_ prefix: PrefixTree<String>, layout: TreeLayout) throws(PyTreeError) {
        var labels = [String](repeating: "", count: layout.leaves.count)
        for group in try prefix.groups(in: layout) {
            for leaf in group.leaves { labels[leaf] = group.value }
        }
        self.layout = layout
        self.labels = labels
    }

    /// The leaves with `label`; throws `unknownLabel` if there are none.
    public func mask(_ label: String) throws(GradientTransformationError) -> TreeMask {
        guard labels.contains(label) else { throw .unknownLabel(label, known: Set(labels).sorted()) }
        return TreeMask(layout: layout) { labels[layout.index(of: $0.path)!] == label }
    }
}

extension PrefixTree: ExpressibleByStringLiteral, ExpressibleByUnicodeScalarLiteral,
    ExpressibleByExtendedGraphemeClusterLiteral
where Element == String {
    /// One label for all leaves of a subtree.
    public init(stringLiteral label: String) {
        self = .value(label)
    }
}
