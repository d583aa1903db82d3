/// The two axes of a leaf that its second moment is factored along: the longest two, of equally long ones the last.
///
/// In row-major order, the leaf is an array of `outer` × `rows` × `middle` × `columns` × `inner` elements: `rows` is
/// the first of the two axes and `columns` the second.
package struct FactoredAxes: Hashable, Sendable {
    package let outer: Int
    package let rows: Int
    package let middle: Int
    package let columns: Int
    package let inner: Int

    /// The shape of the means over the second axis: the leaf's without it.
    package let rowShape: [Int]
    /// The shape of the means over the first axis.
    package let columnShape: [Int]

    /// The axes of a leaf of `shape`; nil if it has fewer than two, or one of them is shorter than `minimumSide`.
    package init?(shape: [Int], minimumSide: Int) {
        // A stable order, as optax has it: of equally long axes the last come last.
        let order = shape.indices.sorted { (shape[$0], $0) < (shape[$1], $1) }
        guard order.count >= 2, shape[order[order.count - 2]] >= max(1, minimumSide) else { return nil }
        let (first, second) = (min(order[order.count - 2], order[order.count - 1]), order.suffix(2).max()!)
        func product(_ axes: Range<Int>) -> Int { axes.reduce(1) { $0 * shape[$1] } }
        outer = product(0..<first)
        rows = shape[first]
        middle = product(first + 1..<second)
        columns = shape[second]
        inner = product(second + 1..<shape.count)
        rowShape = Array(shape[..<second] + shape[(second + 1)...])
        columnShape = Array(shape[..<first] + shape[(first + 1)...])
    }

    /// The number of matrices of rows × columns.
    package var slices: Int { outer * middle * inner }

    /// The number of means over the second axis, slices × rows.
    package var rowCount: Int { slices * rows }

    /// The number of means over the first axis, slices × columns.
    package var columnCount: Int { slices * columns }
}

extension FactoredAxes {
    /// Calls `body` with the index of each element and those of its means over the second and the first axis.
    package func forEachElement(_ body: (_ element: Int, _ row: Int, _ column: Int) -> Void) {
        forEachElement(of: 0..<rowCount * columns, body)
    }

    /// The same for the elements in `range`.
    package func forEachElement(of range: Range<Int>, _ body: (_ element: Int, _ row: Int, _ column: Int) -> Void) {
        for element in range {
            let (run, lane) = element.quotientAndRemainder(dividingBy: inner)
            let (row, column) = run.quotientAndRemainder(dividingBy: columns)
            let slice = row / (rows * middle) * middle + row % middle
            body(element, row * inner + lane, (slice * columns + column) * inner + lane)
        }
    }

    /// The index of the slice, among those of one mean over both axes, that a mean over the second axis belongs to.
    package func slice(ofRow row: Int) -> Int {
        let (run, lane) = row.quotientAndRemainder(dividingBy: inner)
        return (run / (rows * middle) * middle + run % middle) * inner + lane
    }

    /// The same for a mean over the first axis.
    package func slice(ofColumn column: Int) -> Int {
        column / (columns * inner) * inner + column % inner
    }
}
