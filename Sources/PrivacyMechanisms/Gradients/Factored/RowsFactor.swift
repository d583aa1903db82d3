import LinearAlgebra

/// A leaf's gradients as they are: a run of columns of a matrix with a row for each example.
struct RowsFactor: GradientFactor {
    let columns: Range<Int>
    let matrix: Matrix
    /// The leaf's first column in the matrix.
    let offset: Int

    func squaredNorms(of examples: Range<Int>, under scale: UnsafePointer<Float>?, into norms: inout [Double]) {
        let kernels = Kernels.active
        norms.withUnsafeMutableBufferPointer { norms in
            let length = 4
            TaskTeam.run(
                tasks: TaskTeam.pieces(of: examples.count, length: length), work: examples.count * columns.count
            ) { task, _ in
                let piece = TaskTeam.piece(task, of: examples.count, length: length)
                let rows = piece.map { matrix.unsafeRow(examples.lowerBound + $0) + offset }
                kernels.squared_norms(
                    rows, rows.count, 0, columns.count, scale, norms.baseAddress! + piece.lowerBound)
            }
        }
    }

    func addWeightedSum(of examples: [WeightedExample], to sum: UnsafeMutablePointer<Double>) {
        let kernels = Kernels.active
        let rows = examples.map { matrix.unsafeRow($0.example) + offset }
        let weights = examples.map(\.clipFactor)
        let length = 4096
        TaskTeam.run(
            tasks: TaskTeam.pieces(of: columns.count, length: length), work: rows.count * columns.count
        ) { task, _ in
            let piece = TaskTeam.piece(task, of: columns.count, length: length)
            kernels.add_weighted_rows(rows, weights, rows.count, piece.lowerBound, piece.count, sum)
        }
    }

    func copyGradient(of example: Int, into row: UnsafeMutablePointer<Float>) {
        row.update(from: matrix.unsafeRow(example) + offset, count: columns.count)
    }
}
