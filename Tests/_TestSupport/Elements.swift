import LinearAlgebra

extension Matrix {
    /// All elements, row after row.
    package var elements: [Float] { withUnsafeElements { Array($0) } }

    /// The elements of one row.
    package func row(_ index: Int) -> [Float] { withRow(index) { row in row.indices.map { row[$0] } } }
}

extension Collection where Element == Float {
    /// Bit patterns, to compare what arithmetic would not tell apart.
    package var bits: [UInt32] { map(\.bitPattern) }
}

extension Collection where Element == Double {
    /// Bit patterns, to compare what arithmetic would not tell apart.
    package var bits: [UInt64] { map(\.bitPattern) }
}
