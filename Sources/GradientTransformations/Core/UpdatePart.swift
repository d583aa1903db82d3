import PyTrees
import Requirements

/// A stretch of the parameters' columns: what one of several ranks updates, and keeps the optimizer's state of.
package struct UpdatePart: Sendable {
    /// The columns.
    package let columns: Range<Int>

    /// The layout of a vector of these columns alone: one leaf, or none if there are no columns.
    package let layout: TreeLayout

    /// The part that `columns` are.
    package init(_ columns: Range<Int>) {
        self.columns = columns
        do throws(PyTreeError) {
            layout = try TreeLayout(columns.isEmpty ? [] : [("part", [columns.count])])
        } catch {
            fail(error.description)
        }
    }

    /// The columns of `whole` that are the part.
    package func taken(from whole: ParameterVector) -> ParameterVector {
        UpdateDomain(whole: whole.layout).restricted(to: self).selected(from: whole)
    }

    /// A vector of `layout` that has `own` in the part's columns and zeros elsewhere.
    package func placed(_ own: ParameterVector, in layout: TreeLayout) -> ParameterVector {
        var whole = ParameterVector(zeros: layout)
        UpdateDomain(whole: layout).restricted(to: self).write(own, to: &whole)
        return whole
    }
}
