import Requirements

/// Where the second moments of each leaf lie: for a factored one, its means over the second axis (`rows`) and over the
/// first (`columns`), two leaves in its place; for any other, one number for each element.
package struct FactoredLayout: Hashable, Sendable {
    package struct Leaf: Hashable, Sendable {
        /// Where the elements of the parameters lie.
        package let range: Range<Int>
        /// Nil for a leaf that is not factored.
        package let axes: FactoredAxes?
        /// Where the means over the second axis begin among the moments, or all of them for a leaf without axes.
        package let moments: Int
        /// Where the means over the first axis begin.
        package var columnMoments: Int { moments + (axes?.rowCount ?? 0) }
    }

    /// The leaves of the parameters, in order.
    package let leaves: [Leaf]
    /// The layout of the moments.
    package let layout: TreeLayout

    /// The layout of the moments of `parameters`: leaves are factored for which `axes` names two.
    package init(of parameters: TreeLayout, axes: (_ shape: [Int]) -> FactoredAxes?) {
        var moments: [(path: TreePath, shape: [Int])] = []
        var leaves: [Leaf] = []
        var begin = 0
        for leaf in parameters.leaves {
            let axes = axes(leaf.shape)
            leaves.append(Leaf(range: leaf.range, axes: axes, moments: begin))
            if let axes {
                moments.append((leaf.path.appending(Self.rows), axes.rowShape))
                moments.append((leaf.path.appending(Self.columns), axes.columnShape))
                begin += axes.rowCount + axes.columnCount
            } else {
                moments.append((leaf.path, leaf.shape))
                begin += leaf.range.count
            }
        }
        self.leaves = leaves
        do throws(PyTreeError) {
            layout = try TreeLayout(moments)
        } catch {
            fail(error.description)
        }
    }

    /// The key of the means over the second axis.
    package static let rows = "rows"
    /// The key of the means over the first axis.
    package static let columns = "columns"

    /// Calls `body` with the parts of `range` that lie in one leaf each.
    package func forEachPart(of range: Range<Int>, _ body: (_ leaf: Int, _ columns: Range<Int>) -> Void) {
        // The first leaf that ends after the range begins, by bisection.
        var (leaf, high) = (0, leaves.count)
        while leaf < high {
            let middle = (leaf + high) / 2
            if leaves[middle].range.upperBound <= range.lowerBound { leaf = middle + 1 } else { high = middle }
        }
        while leaf < leaves.count, leaves[leaf].range.lowerBound < range.upperBound {
            let columns = leaves[leaf].range.clamped(to: range)
            if !columns.isEmpty { body(leaf, columns) }
            leaf += 1
        }
    }
}
