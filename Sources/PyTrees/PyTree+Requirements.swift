import Requirements

// At the door of an optimizer or a run, leaves that do not fit are a programmer's mistake, which traps: the shapes of
// trees are code, and data that comes from outside has been checked when it was read.

extension PyTree {
    /// The leaves' values; traps if they cannot be told apart, as where two children share a key.
    package func vector() -> ParameterVector {
        Self.trapping { () throws(PyTreeError) in try flattened() }
    }

    /// The leaves' values; traps unless the leaves are those of `layout`.
    package func vector(as layout: TreeLayout) -> ParameterVector {
        Self.trapping { () throws(PyTreeError) in try flattened(as: layout) }
    }

    /// The layout; traps where there is none.
    package var requiredLayout: TreeLayout {
        Self.trapping { () throws(PyTreeError) in try treeLayout() }
    }

    /// Overwrites the leaves in place; traps unless they are those of the vector's layout.
    package mutating func overwriteLeaves(with vector: ParameterVector) {
        Self.trapping { () throws(PyTreeError) in try unflatten(from: vector) }
    }

    /// A copy all of whose leaves are zero, for examples to write their gradients to copies of it.
    ///
    /// **Guarantee:** a copy's leaves are its own. Traps where they are shared with the original, as those of a class
    /// are: what one example writes would be seen by the next.
    /// - Complexity: O(elements), and some copies of the leaves.
    package func zeroed() -> Self {
        let before = vector()
        var others = before
        others.withUnsafeMutableValues { others in
            for index in others.indices { others[index] = others[index] == 1 ? 2 : 1 }
        }
        let copy = holding(others)
        require(
            zip(vector().values, before.values).allSatisfy { $0.bitPattern == $1.bitPattern },
            "\(Self.self) shares its leaves with its copies, as a class does: what is written for one example would be "
                + "seen by the next. Make it a struct.")
        return copy.holding(ParameterVector(zeros: before.layout))
    }

    /// Copies the leaves' values to `row`; traps unless the leaves are those of `layout`, and the row has room.
    package func copyLeaves(to row: UnsafeMutableBufferPointer<Float>, as layout: TreeLayout) {
        require(row.count == layout.count, "A row of \(row.count) elements does not hold \(layout.count) parameters.")
        Self.trapping { () throws(PyTreeError) in try traverseCopy(.read(row), expecting: layout) }
    }

    /// A copy with the values of `row` in its leaves; traps unless the leaves are those of `layout`.
    package func holding(_ row: UnsafeBufferPointer<Float>, as layout: TreeLayout) -> Self {
        require(row.count == layout.count, "A row of \(row.count) elements does not hold \(layout.count) parameters.")
        var tree = self
        Self.trapping { () throws(PyTreeError) in
            var visitor = TreeVisitor(mode: .write(row, replacing: true), expected: layout)
            try tree.visitChildren(&visitor)
            try visitor.finish()
        }
        return tree
    }

    static func trapping<Result>(_ body: () throws(PyTreeError) -> Result) -> Result {
        do throws(PyTreeError) {
            return try body()
        } catch {
            fail("\(Self.self): \(error.description)")
        }
    }
}
