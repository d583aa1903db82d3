import Requirements

extension PyTree {
    /// A copy whose tensors stand for the leaves of `layout` and hold no values: what a model's function is given when
    /// it is recorded.
    ///
    /// Traps if the leaves are not those of the layout, or are not all tensors.
    package func standIn(for layout: TreeLayout) -> Self {
        var tree = self
        var visitor = TreeVisitor(mode: .number, expected: layout)
        do throws(PyTreeError) {
            try tree.visitChildren(&visitor)
            try visitor.finish()
        } catch {
            fail(error.description)
        }
        return tree
    }
}
