import LinearAlgebra

/// Means of rows, written out: taken in Float64 and rounded to Float32 once.
///
/// **Guarantee:** each mean is a function of its own rows, in every bit: of their values and their order.
struct RowMeans {
    /// The rows of each mean, none of which is empty.
    let rows: [Range<Int>]

    /// The columns that are averaged at a time.
    private static let pieceLength = 4096

    /// Writes the means of the gradients, one after the other, to `target`.
    func write(of gradients: some PerExampleGradients, into target: UnsafeMutablePointer<Float>) {
        let columns = gradients.layout.count
        if let dense = gradients as? DenseRows {
            return write(columns: columns, into: target, row: dense.row)
        }
        var written = Matrix(rows: 0, columns: columns)
        for (index, rows) in rows.enumerated() {
            written.reshape(rows: rows.count, columns: columns)
            for (place, row) in rows.enumerated() {
                written.withMutableRow(place) { gradients.copyGradient(of: row, into: &$0) }
            }
            RowMeans(rows: [0..<rows.count])
                .write(columns: columns, into: target + index * columns, row: written.unsafeRow)
        }
    }

    /// Writes the means of the rows of `columns` elements that `row` finds, one after the other, to `target`.
    func write(
        columns: Int, into target: UnsafeMutablePointer<Float>, row: (_ index: Int) -> UnsafePointer<Float>
    ) {
        let kernels = Kernels.active
        let sources = rows.map { $0.map(row) }
        let pieces = TaskTeam.pieces(of: columns, length: Self.pieceLength)
        TaskTeam.run(
            tasks: rows.count * pieces, work: rows.reduce(0) { $0 + $1.count } * columns,
            scratchBytes: 8 * Self.pieceLength
        ) { task, scratch in
            let (mean, piece) = (
                task / pieces, TaskTeam.piece(task % pieces, of: columns, length: Self.pieceLength)
            )
            let sum = scratch.bindMemory(to: Double.self, capacity: Self.pieceLength)
            sum.update(repeating: 0, count: piece.count)
            let count = sources[mean].count
            let weights = [Double](repeating: 1 / Double(count), count: count)
            kernels.add_weighted_rows(
                sources[mean].map { $0 + piece.lowerBound }, weights, count, 0, piece.count, sum)
            let out = target + mean * columns + piece.lowerBound
            for column in 0..<piece.count { out[column] = Float(sum[column]) }
        }
    }
}
