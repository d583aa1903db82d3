import LinearAlgebra
import PyTrees
import Requirements

extension DenseRows {
    /// Gradients that are trees like `parameters`, one for each example, copied into rows.
    ///
    /// Throws `lossCountMismatch` if there are losses, but not one per example. Traps if a gradient has other leaves
    /// than the parameters.
    public init<Tree: PyTree>(
        _ gradients: [Tree], like parameters: Tree, nonPrivateLosses: [Float]? = nil
    ) throws(PrivacyMechanismError) {
        let layout = parameters.requiredLayout
        var rows = Matrix(rows: gradients.count, columns: layout.count)
        rows.withUnsafeMutableElements { elements in
            for (example, gradient) in gradients.enumerated() {
                let row = elements[example * layout.count..<(example + 1) * layout.count]
                gradient.copyLeaves(to: UnsafeMutableBufferPointer(rebasing: row), as: layout)
            }
        }
        try self.init(rows, layout: layout, nonPrivateLosses: nonPrivateLosses)
    }
}

extension Matrix {
    /// Writes a row for each example, on several threads at once: the leaves of a tree like `zero`, all of whose leaves
    /// are zero and of `layout`, that `body` fills.
    ///
    /// **Guarantee:** each call of `body` gets a copy of `zero`, with all the values that it holds beside its leaves,
    /// and one thread: nothing of one example reaches another through them, if `zero` comes from `zeroed()`.
    package mutating func fillRows<Tree: PyTree & Sendable>(
        zero: Tree, layout: TreeLayout, _ body: (_ example: Int, _ gradient: inout Tree) -> Void
    ) {
        let rows = rows
        require(columns == layout.count, "Rows of \(columns) elements do not hold \(layout.count) parameters.")
        withUnsafeMutableElements { elements in
            nonisolated(unsafe) let body = body
            Threads.withTeam(of: rows) { member in
                for example in member.share(of: 0..<rows) {
                    var gradient = zero
                    Threads.withoutTeams { body(example, &gradient) }
                    let row = elements[example * layout.count..<(example + 1) * layout.count]
                    gradient.copyLeaves(to: UnsafeMutableBufferPointer(rebasing: row), as: layout)
                }
            }
        }
    }
}
