/// The paths and shapes of a tree's leaves, and where their elements lie in the flat vector.
///
/// Leaves follow each other in the order of the traversal, and those of a subtree are next to each other. Subtrees
/// without leaves, such as an empty array, are part of a layout too, though they take up no elements.
///
/// Copies share one storage.
public struct TreeLayout: Sendable {
    /// One array of a tree.
    public struct Leaf: Hashable, Sendable {
        /// The keys that lead to the leaf.
        public let path: TreePath

        /// The dimensions, outermost first; `[]` for a single element.
        public let shape: [Int]

        /// Where the elements lie in the flat vector, in row-major order.
        public let range: Range<Int>
    }

    enum Entry: Hashable {
        case leaf(TreePath, shape: [Int])
        case emptySubtree(TreePath)
    }

    private final class Storage: Sendable {
        let entries: [Entry]
        let leaves: [Leaf]
        let count: Int
        let index: Index

        init(entries: [Entry], leaves: [Leaf], count: Int, index: Index) {
            self.entries = entries
            self.leaves = leaves
            self.count = count
            self.index = index
        }
    }

    private let storage: Storage

    static let empty = TreeLayout(storage: Storage(entries: [], leaves: [], count: 0, index: Index()))

    private init(storage: Storage) {
        self.storage = storage
    }

    /// The layout of `leaves`, in their order, for those who have no tree.
    ///
    /// Throws if a path occurs twice or is both a leaf and the parent of one, if the leaves of a subtree are not next
    /// to each other, if a dimension is negative, or if the number of elements overflows.
    /// - Complexity: O(leaves × depth).
    public init(_ leaves: [(path: TreePath, shape: [Int])]) throws(PyTreeError) {
        try self.init(entries: leaves.map { .leaf($0.path, shape: $0.shape) })
    }

    init(entries: [Entry]) throws(PyTreeError) {
        var builder = IndexBuilder()
        var leaves: [Leaf] = []
        leaves.reserveCapacity(entries.count)
        var count = 0
        for entry in entries {
            switch entry {
            case .leaf(let path, let shape):
                try builder.append(path, isLeaf: true)
                let (end, overflow) = count.addingReportingOverflow(try elementCount(of: shape, at: path))
                if overflow { throw .elementCountOverflow(path: path, shape: shape) }
                leaves.append(Leaf(path: path, shape: shape, range: count..<end))
                count = end
            case .emptySubtree(let path):
                try builder.append(path, isLeaf: false)
            }
        }
        self.init(storage: Storage(entries: entries, leaves: leaves, count: count, index: builder.finish()))
    }

    var entries: [Entry] { storage.entries }

    var index: Index { storage.index }

    /// The leaves, in the order of their ranges.
    public var leaves: [Leaf] { storage.leaves }

    /// The number of elements of all leaves together.
    public var count: Int { storage.count }

    /// The index in ``leaves`` of the leaf at `path`; nil if there is none.
    /// - Complexity: O(depth).
    public func index(of path: TreePath) -> Int? {
        guard let node = index.node(at: path), index.nodes[node].kind == .leaf else { return nil }
        return index.nodes[node].leaves.lowerBound
    }

    /// The leaf at `path`; nil if there is none.
    /// - Complexity: O(depth).
    public subscript(path: TreePath) -> Leaf? {
        index(of: path).map { leaves[$0] }
    }

    /// The indices in ``leaves`` of the leaves at and below `path`, empty for an empty subtree; nil if the layout has
    /// no such subtree.
    /// - Complexity: O(depth).
    public func leaves(under path: TreePath) -> Range<Int>? {
        index.node(at: path).map { index.nodes[$0].leaves }
    }

    /// Where the elements of the leaves at and below `path` lie in the flat vector; nil if the layout has no such
    /// subtree.
    /// - Complexity: O(depth).
    public func columns(under path: TreePath) -> Range<Int>? {
        leaves(under: path).map(columns(of:))
    }

    func columns(of range: Range<Int>) -> Range<Int> {
        column(before: range.lowerBound)..<column(before: range.upperBound)
    }

    private func column(before leaf: Int) -> Int {
        leaf < leaves.count ? leaves[leaf].range.lowerBound : count
    }
}

extension TreeLayout: Hashable {
    /// Whether paths, shapes and order agree.
    /// - Complexity: O(1) for copies of one layout, otherwise O(leaves × depth).
    public static func == (left: TreeLayout, right: TreeLayout) -> Bool {
        left.storage === right.storage || left.entries == right.entries
    }

    /// Hashes paths, shapes and order.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(entries)
    }
}
