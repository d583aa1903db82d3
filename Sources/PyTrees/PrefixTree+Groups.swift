/// The leaves that one value of a prefix tree covers.
public struct PrefixGroup<Value> {
    /// The subtree that the value covers.
    public let path: TreePath

    /// The indices of its leaves in the layout; empty for an empty subtree.
    public let leaves: Range<Int>

    /// Where the elements of its leaves lie in the flat vector.
    public let columns: Range<Int>

    /// The value.
    public let value: Value
}

extension PrefixGroup: Sendable where Value: Sendable {}
extension PrefixGroup: Equatable where Value: Equatable {}
extension PrefixGroup: Hashable where Value: Hashable {}

extension PrefixTree {
    /// The values and the leaves they cover, in layout order.
    ///
    /// Throws, and names the path, unless every leaf of `layout` is covered and every key names a subtree of it. No
    /// leaf can be covered twice.
    /// - Complexity: O(n log n) in the number of values.
    public func groups(in layout: TreeLayout) throws(PyTreeError) -> [PrefixGroup<Element>] {
        var groups: [(node: Int, group: PrefixGroup<Element>)] = []
        try collectGroups(at: TreeLayout.Index.root, .root, in: layout, into: &groups)
        groups.sort { $0.node < $1.node }
        var nextLeaf = 0
        for (_, group) in groups {
            if group.leaves.lowerBound > nextLeaf { throw .uncoveredLeaf(layout.leaves[nextLeaf].path) }
            nextLeaf = group.leaves.upperBound
        }
        if nextLeaf < layout.leaves.count { throw .uncoveredLeaf(layout.leaves[nextLeaf].path) }
        return groups.map(\.group)
    }

    private func collectGroups(
        at node: Int, _ path: TreePath, in layout: TreeLayout,
        into groups: inout [(node: Int, group: PrefixGroup<Element>)]
    ) throws(PyTreeError) {
        switch self {
        case .value(let value):
            let leaves = layout.index.nodes[node].leaves
            let columns = layout.columns(of: leaves)
            groups.append((node, PrefixGroup(path: path, leaves: leaves, columns: columns, value: value)))
        case .children(let children):
            if layout.index.nodes[node].kind == .leaf { throw .prefixBelowLeaf(path) }
            // In key order, so that the same mistake always gives the same error.
            for (key, child) in children.sorted(by: { $0.key < $1.key }) {
                let childPath = path.appending(key)
                guard let childNode = layout.index.child(of: node, key) else { throw .prefixWithoutSubtree(childPath) }
                try child.collectGroups(at: childNode, childPath, in: layout, into: &groups)
            }
        }
    }

    /// The prefix tree of the structure of `other` that holds `values`, given in the order of `other`'s groups.
    ///
    ///     let norms = try l2ClipNorms.groups(in: layout).map { norm(of: $0.columns) }
    ///     let report = try PrefixTree(structureOf: l2ClipNorms, values: norms, in: layout)
    ///
    /// Throws if `other` does not fit the layout, or has another number of values.
    public init<Other>(
        structureOf other: PrefixTree<Other>, values: [Element], in layout: TreeLayout
    ) throws(PyTreeError) {
        let groups = try other.groups(in: layout)
        guard groups.count == values.count else {
            throw .groupCountMismatch(count: values.count, expected: groups.count)
        }
        let valuesByPath = Dictionary(uniqueKeysWithValues: zip(groups.map(\.path), values))
        self = other.mapPaths(under: .root) { valuesByPath[$0]! }
    }

    private func mapPaths<Result>(under path: TreePath, _ transform: (TreePath) -> Result) -> PrefixTree<Result> {
        switch self {
        case .value:
            return .value(transform(path))
        case .children(let children):
            let pairs = children.map { ($0, $1.mapPaths(under: path.appending($0), transform)) }
            return .children(Dictionary(uniqueKeysWithValues: pairs))
        }
    }
}
