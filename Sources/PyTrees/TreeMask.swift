/// A choice of leaves of a layout: those with weight decay, or those that stay frozen.
public struct TreeMask: Hashable, Sendable {
    /// The layout whose leaves are chosen from.
    public let layout: TreeLayout

    /// For each leaf, in layout order, whether it is selected.
    public let selection: [Bool]

    /// Where the elements of the selected leaves lie in the flat vector: ascending, not empty, adjacent ones merged.
    public let selectedColumns: [Range<Int>]

    /// The leaves that `prefix` covers with `true`; throws if it does not fit the layout.
    public init(_ prefix: PrefixTree<Bool>, layout: TreeLayout) throws(PyTreeError) {
        var selection = [Bool](repeating: false, count: layout.leaves.count)
        for group in try prefix.groups(in: layout) where group.value {
            for leaf in group.leaves { selection[leaf] = true }
        }
        self.init(layout: layout, selection: selection)
    }

    /// The leaves of `tree` that `prefix` covers with `true`; throws if it does not fit them.
    public init(_ prefix: PrefixTree<Bool>, of tree: some PyTree) throws(PyTreeError) {
        try self.init(prefix, layout: tree.treeLayout())
    }

    /// The leaves for which `isSelected` holds.
    public init<Failure: Error>(
        layout: TreeLayout, where isSelected: (TreeLayout.Leaf) throws(Failure) -> Bool
    ) throws(Failure) {
        var selection: [Bool] = []
        for leaf in layout.leaves { selection.append(try isSelected(leaf)) }
        self.init(layout: layout, selection: selection)
    }

    private init(layout: TreeLayout, selection: [Bool]) {
        self.layout = layout
        self.selection = selection
        var columns: [Range<Int>] = []
        for (leaf, isSelected) in zip(layout.leaves, selection) where isSelected && !leaf.range.isEmpty {
            if let last = columns.last, last.upperBound == leaf.range.lowerBound {
                columns[columns.count - 1] = last.lowerBound..<leaf.range.upperBound
            } else {
                columns.append(leaf.range)
            }
        }
        selectedColumns = columns
    }

    /// The mask of the leaves that this one leaves out.
    public var complement: TreeMask {
        TreeMask(layout: layout, selection: selection.map(!))
    }

    /// The number of elements of the selected leaves.
    public var selectedCount: Int {
        selectedColumns.reduce(0) { $0 + $1.count }
    }

    /// Whether the leaf at `path` is selected; nil if the layout has none.
    public subscript(path: TreePath) -> Bool? {
        layout.index(of: path).map { selection[$0] }
    }
}

extension TreeMask: Codable {
    private enum CodingKeys: CodingKey {
        case layout, selection
    }

    /// Reads the layout and one Boolean for each leaf; throws if their numbers differ.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let layout = try container.decode(TreeLayout.self, forKey: .layout)
        let selection = try container.decode([Bool].self, forKey: .selection)
        guard selection.count == layout.leaves.count else {
            throw DecodingError.dataCorruptedError(
                forKey: .selection, in: container,
                debugDescription: "The mask has \(selection.count) entries, but its layout \(layout.leaves.count) "
                    + "leaves: give one entry for each leaf.")
        }
        self.init(layout: layout, selection: selection)
    }

    /// Writes the layout and one Boolean for each leaf.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layout, forKey: .layout)
        try container.encode(selection, forKey: .selection)
    }
}
