import Requirements

extension Matrix {
    /// A matrix of the given rows; 0 × 0 for none.
    ///
    /// Traps unless all rows have the same length.
    public init(_ rows: [[Float]]) {
        let columns = rows.first?.count ?? 0
        for (index, row) in rows.enumerated() {
            require(
                row.count == columns,
                "Row \(index) has \(row.count) numbers, but row 0 has \(columns): all rows of a matrix have one "
                    + "length.")
        }
        self.init(rows: rows.count, columns: columns)
        withUnsafeMutableElements { elements in
            for (index, row) in rows.enumerated() {
                _ = UnsafeMutableBufferPointer(rebasing: elements[index * columns..<(index + 1) * columns])
                    .update(fromContentsOf: row)
            }
        }
    }
}

extension Matrix {
    /// A copy of the rows in `range`; the matrix itself, without a copy, where those are all. Traps for rows that it
    /// lacks.
    package func rows(_ range: Range<Int>) -> Matrix {
        require(
            range.lowerBound >= 0 && range.upperBound <= rows,
            "Rows \(range) were asked for of a matrix with \(rows).")
        if range == 0..<rows { return self }
        return withUnsafeElements {
            Matrix(
                rows: range.count, columns: columns,
                elements: Array($0[range.lowerBound * columns..<range.upperBound * columns]))
        }
    }
}

extension Matrix: CustomStringConvertible {
    /// The shape and a few elements: `3 × 4 [[0.1, 0.2, 0.3, 0.4], …, [0.9, 1.0, 1.1, 1.2]]`.
    public var description: String {
        let text = withUnsafeElements { elements in arrayText(shape: [rows, columns]) { elements[$0] } }
        return "\(rows) × \(columns) \(text)"
    }
}
