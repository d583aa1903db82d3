import LinearAlgebra

/// ρ and γ, the two halves of the scale of a matrix: its element (j, k) is multiplied by ρ_j γ_k.
struct RankOneWeights: Sendable {
    /// ρ.
    let rows: ArraySlice<Float>
    /// γ.
    let columns: ArraySlice<Float>

    /// Writes columns `part` of the scale in row `row` to `target`, each element rounded once.
    func write(row: Int, _ part: Range<Int>, to target: UnsafeMutablePointer<Float>) {
        columns.withUnsafeBufferPointer { columns in
            guard let columns = columns.baseAddress else { return }
            Kernels.active.scaled(
                columns + part.lowerBound, Double(rows[rows.startIndex + row]), part.count, target)
        }
    }
}

extension Matrix {
    /// Writes columns `part` of the rows in `range`, element by element times `weights`, one for each column of the
    /// matrix, to `target`, without gaps.
    func writeRows(
        _ range: Range<Int>, _ part: Range<Int>, times weights: ArraySlice<Float>,
        to target: UnsafeMutablePointer<Float>
    ) {
        let kernels = Kernels.active
        weights.withUnsafeBufferPointer { weights in
            guard let weights = weights.baseAddress else { return }
            for (index, row) in range.enumerated() {
                kernels.multiplied(
                    unsafeRow(row) + part.lowerBound, weights + part.lowerBound, part.count,
                    target + index * part.count)
            }
        }
    }
}
