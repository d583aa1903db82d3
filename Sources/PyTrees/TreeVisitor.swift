import Requirements

/// What walks over a ``PyTree``: it reads the layout, copies leaves out, or copies leaves in.
///
/// Made by the functions of ``PyTree``; a tree only passes its children on to ``visit(_:_:)``, and a leaf type its
/// values to ``visitLeaf(shape:values:)``.
public struct TreeVisitor: ~Copyable {
    enum Mode {
        case layout
        /// Compares every leaf with the expected layout and copies it out, if there is somewhere to copy it to.
        case read(UnsafeMutableBufferPointer<Float>?)
        /// `replacing` gives leaves new arrays instead of writing into those they have.
        case write(UnsafeBufferPointer<Float>, replacing: Bool)
        /// Puts what stands for a leaf in the place of every tensor.
        case number
    }

    private let mode: Mode
    private let expected: TreeLayout
    private var keys: [String] = []
    private var previousKey: String?
    private var nextLeaf = 0
    private(set) var entries: [TreeLayout.Entry] = []

    init(mode: Mode, expected: TreeLayout) {
        self.mode = mode
        self.expected = expected
    }

    /// Whether this traversal changes leaves. Only a type that converts its leaves or stores them indirectly needs it,
    /// to write back what it converted.
    public var isWriting: Bool {
        switch mode {
        case .layout, .read: false
        case .write, .number: true
        }
    }

    /// Visits `child` under `key`.
    ///
    /// Throws if the tree already visited `key`, or the leaves below are not the expected ones.
    public mutating func visit<Child: PyTree>(_ key: String, _ child: inout Child) throws(PyTreeError) {
        let entryCount = entries.count
        let isRepeated = previousKey == key
        keys.append(key)
        defer { previousKey = keys.removeLast() }
        // Only neighbours are compared here: a key repeated later scatters a subtree, and the layout finds that.
        if isRepeated { throw .duplicatePath(TreePath(keys)) }
        previousKey = nil
        try child.visitChildren(&self)
        if case .layout = mode, entries.count == entryCount {
            entries.append(.emptySubtree(TreePath(keys)))
        }
    }

    /// Visits a leaf: `values` holds the elements of an array of `shape` in row-major order.
    ///
    /// For leaf types; a leaf has no children. `values` changes, in place and without changing its count, only if
    /// ``isWriting``. Throws if `shape` does not describe `values`, or the leaf is not the expected one.
    public mutating func visitLeaf(shape: [Int], values: inout [Float]) throws(PyTreeError) {
        guard let range = try nextRange(shape: shape, count: values.count) else { return }
        switch mode {
        case .layout, .read(nil):
            break
        case .read(let destination?):
            _ = UnsafeMutableBufferPointer(rebasing: destination[range]).initialize(fromContentsOf: values)
        case .write(let source, replacing: true):
            values = Array(source[range])
        case .number:
            fail("The leaf '\(expected.leaves[nextLeaf - 1].path)' is not a Tensor, and nothing can stand for it.")
        case .write(let source, replacing: false):
            values.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: source[range]) }
        }
    }

    /// What stands for the next leaf, a tensor, where the traversal asks for it; nil elsewhere.
    mutating func standIn(shape: [Int], count: Int) throws(PyTreeError) -> Tensor? {
        guard case .number = mode else { return nil }
        let index = nextLeaf
        _ = try nextRange(shape: shape, count: count)
        return Tensor(shape: shape, elementCount: count, leafIndex: index)
    }

    /// Visits a leaf of shape `[]`: one element.
    ///
    /// For leaf types; a leaf has no children. Throws if the leaf is not the expected one.
    public mutating func visitLeaf(_ value: inout Float) throws(PyTreeError) {
        guard let range = try nextRange(shape: [], count: 1) else { return }
        switch mode {
        case .layout, .read(nil):
            break
        case .read(let destination?):
            destination.initializeElement(at: range.lowerBound, to: value)
        case .number:
            fail(
                "The leaf '\(expected.leaves[nextLeaf - 1].path)' is a Float, and nothing can stand for its value: "
                    + "make it a Tensor of shape [].")
        case .write(let source, replacing: _):
            value = source[range.lowerBound]
        }
    }

    /// Throws if the traversal ended before the layout did.
    func finish() throws(PyTreeError) {
        guard nextLeaf < expected.leaves.count else { return }
        let leaf = expected.leaves[nextLeaf]
        throw .missingLeaf(leaf.path, shape: leaf.shape, found: nil)
    }

    /// Where the next leaf's elements lie; nil if they are not wanted.
    private mutating func nextRange(shape: [Int], count: Int) throws(PyTreeError) -> Range<Int>? {
        if case .layout = mode {
            let path = TreePath(keys)
            guard try elementCount(of: shape, at: path) == count else {
                throw .elementCountMismatch(path: path, shape: shape, count: count)
            }
            entries.append(.leaf(path, shape: shape))
            return nil
        }
        guard nextLeaf < expected.leaves.count else { throw .unexpectedLeaf(TreePath(keys), shape: shape) }
        let leaf = expected.leaves[nextLeaf]
        guard leaf.path.keys == keys else {
            let path = TreePath(keys)
            guard expected.index(of: path) != nil else { throw .unexpectedLeaf(path, shape: shape) }
            throw .missingLeaf(leaf.path, shape: leaf.shape, found: path)
        }
        guard leaf.shape == shape else {
            throw .shapeMismatch(path: leaf.path, shape: shape, expected: leaf.shape)
        }
        guard leaf.range.count == count else {
            throw .elementCountMismatch(path: leaf.path, shape: shape, count: count)
        }
        nextLeaf += 1
        return leaf.range
    }
}
