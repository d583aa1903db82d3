import LinearAlgebra
import PrivacyMechanisms
import PyTrees

/// The rows that factored gradients stand for, written out a microbatch at a time.
struct InstantiatedRows {
    private var matrix = Matrix(rows: 0, columns: 0)

    /// Calls `body` with the rows of each microbatch of up to `size` examples, in turn, in memory that is reused.
    mutating func forEachMicrobatch(
        of gradients: FactoredGradients, size: Int, _ body: (DenseRows) throws -> Void
    ) throws {
        for begin in stride(from: 0, to: gradients.exampleCount, by: size) {
            let examples = begin..<min(begin + size, gradients.exampleCount)
            if matrix.rows != examples.count || matrix.columns != gradients.layout.count {
                matrix = Matrix(rows: examples.count, columns: gradients.layout.count)
            }
            write(examples, of: gradients)
            try body(try DenseRows(matrix, layout: gradients.layout))
        }
    }

    private mutating func write(_ examples: Range<Int>, of gradients: FactoredGradients) {
        let columns = matrix.columns
        matrix.withUnsafeMutableElements { rows in
            nonisolated(unsafe) let rows = rows
            Threads.withTeam(of: examples.count) { member in
                for index in member.share(of: 0..<examples.count) {
                    var row = UnsafeMutableBufferPointer(rebasing: rows[index * columns..<(index + 1) * columns])
                        .mutableSpan
                    gradients.copyGradient(of: examples.lowerBound + index, into: &row)
                }
            }
        }
    }
}
