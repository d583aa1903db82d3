import Requirements

/// A tree of named children whose leaves hold `Float` values: a model, its gradients, or the moments of an optimizer.
///
/// A type conforms by visiting its children, each under a key of its own and always in the same order:
///
///     struct Dense: PyTree {
///         var kernel: Tensor
///         var bias: Tensor
///
///         mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError) {
///             try visitor.visit("kernel", &kernel)
///             try visitor.visit("bias", &bias)
///         }
///     }
///
/// `Float` and ``Tensor`` are leaves. Arrays (keys `0`, `1`, …), dictionaries with `String` keys (in key order) and
/// optionals (`nil` has no leaves) of trees are trees. `[Float]` is therefore an array of scalar leaves, one for each
/// element: use ``Tensor`` for a vector.
public protocol PyTree: ParameterStructure {
    /// Shows every child to `visitor`, once each, under distinct keys; a leaf type calls `visitLeaf` instead.
    ///
    /// The same traversal reads the layout, flattens and unflattens, so it must visit the same children in the same
    /// order every time, and pass on the errors that `visitor` throws.
    mutating func visitChildren(_ visitor: inout TreeVisitor) throws(PyTreeError)
}

extension PyTree {
    /// The paths and shapes of the leaves, in the order in which they are visited.
    ///
    /// Throws if two children share a key, or a leaf's shape does not describe its values.
    /// - Complexity: O(leaves × depth); no value is copied.
    public func treeLayout() throws(PyTreeError) -> TreeLayout {
        // A copy, because a traversal is `mutating`; it costs a reference per stored array and no element.
        var tree = self
        var visitor = TreeVisitor(mode: .layout, expected: TreeLayout.empty)
        try tree.visitChildren(&visitor)
        do throws(PyTreeError) {
            return try TreeLayout(entries: visitor.entries)
        } catch .scatteredSubtree(let path) {
            // A traversal comes back to a subtree only by visiting its key a second time.
            throw .duplicatePath(path)
        }
    }

    /// The leaves' values in one contiguous vector, with their layout.
    ///
    /// Throws what ``treeLayout()`` throws.
    /// - Complexity: O(leaves × depth + elements); every element is copied once.
    public func flattened() throws(PyTreeError) -> ParameterVector {
        try flattened(as: treeLayout())
    }

    /// The leaves' values in one contiguous vector of `layout`; throws if the leaves are not those of the layout.
    package func flattened(as layout: TreeLayout) throws(PyTreeError) -> ParameterVector {
        var failure: PyTreeError?
        let values = [Float](unsafeUninitializedCapacity: layout.count) { buffer, initializedCount in
            do throws(PyTreeError) {
                try traverseCopy(.read(buffer), expecting: layout)
                initializedCount = layout.count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return try ParameterVector(values: values, layout: layout)
    }

    /// Overwrites `vector` in place with the values of the leaves.
    ///
    /// Throws, and leaves `vector` as it was, if the leaves are not those of the vector's layout.
    /// - Complexity: O(leaves × depth + elements); allocates no elements if `vector` is uniquely referenced.
    public func flatten(into vector: inout ParameterVector) throws(PyTreeError) {
        let layout = vector.layout
        try traverseCopy(.read(nil), expecting: layout)
        try vector.withUnsafeMutableValues { (values) throws(PyTreeError) in
            try traverseCopy(.read(values), expecting: layout)
        }
    }

    /// Overwrites the leaves in place with the values of `vector`; `self` is the template that gives the structure.
    ///
    /// Throws, and leaves `self` as it was, if the leaves are not those of the vector's layout. Traps if the second
    /// traversal visits other leaves than the first.
    /// - Complexity: O(leaves × depth + elements); allocates no elements if the leaves are uniquely referenced.
    public mutating func unflatten(from vector: ParameterVector) throws(PyTreeError) {
        try write(vector, replacing: false)
    }

    /// A copy of `self` with the values of `vector` in its leaves.
    ///
    /// Throws if the leaves are not those of the vector's layout.
    /// - Complexity: O(leaves × depth + elements).
    public func unflattened(from vector: ParameterVector) throws(PyTreeError) -> Self {
        var tree = self
        // New arrays, because the old ones still belong to `self`: writing into them would copy them first.
        try tree.write(vector, replacing: true)
        return tree
    }

    func traverseCopy(_ mode: TreeVisitor.Mode, expecting layout: TreeLayout) throws(PyTreeError) {
        var tree = self
        var visitor = TreeVisitor(mode: mode, expected: layout)
        try tree.visitChildren(&visitor)
        try visitor.finish()
    }

    private mutating func write(_ vector: ParameterVector, replacing: Bool) throws(PyTreeError) {
        // All of the checks come before the first write, so that an error cannot leave half of the new values behind.
        try traverseCopy(.read(nil), expecting: vector.layout)
        vector.withUnsafeValues { values in
            var visitor = TreeVisitor(mode: .write(values, replacing: replacing), expected: vector.layout)
            do throws(PyTreeError) {
                try visitChildren(&visitor)
                try visitor.finish()
            } catch {
                fail(
                    "\(Self.self).visitChildren visited other leaves when writing than when reading: \(error)")
            }
        }
    }
}
