import LinearAlgebra
@_exported import _TestSupport

extension Matrix {
    var transposed: Matrix {
        var result = Matrix(rows: columns, columns: rows)
        for row in 0..<rows {
            for column in 0..<columns { result[column, row] = self[row, column] }
        }
        return result
    }

    /// Where the elements lie, to see whether they were copied.
    var address: UInt { withUnsafeElements { UInt(bitPattern: $0.baseAddress) } }
}
