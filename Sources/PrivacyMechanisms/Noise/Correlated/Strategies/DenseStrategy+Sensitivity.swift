import LinearAlgebra

extension DenseStrategy {
    /// The bound of arXiv 2306.08153 with X = CᵀC: for b bands, the largest Σ X_ii over the steps that
    /// somebody can take part in. Otherwise Σ_{i,j} |X_ij| is summed row by row, and each row has the most that it can
    /// have: somebody's other steps may differ from row to row, which makes it an upper bound.
    package func separatedSensitivity(participations k: Int, separation b: Int, steps t: Int) -> Double {
        let squares = columnSquares(t)
        if k == 1 || min(bands, t) <= b {
            return UpwardRounding.root(separatedMaximum(squares, participations: k, separation: b), operations: k)
        }
        let gram = gramMagnitudes(t, squares)
        let rows = (0..<t).map { row in
            separatedMaximum((0..<t).map { gram[row, $0] }, participations: k, separation: b)
        }
        return UpwardRounding.root(separatedMaximum(rows, participations: k, separation: b), operations: 2 * k)
    }

    /// O(t³).
    package func repeatedSensitivity(length: Int, steps t: Int) -> Double {
        let gram = gramMagnitudes(t, columnSquares(t))
        let sums = (0..<length).map { offset in
            let steps = stride(from: offset, to: t, by: length)
            return steps.reduce(0) { sum, row in sum + steps.reduce(0) { $0 + gram[row, $1] } }
        }
        return UpwardRounding.root(sums.max()!, operations: 2 * t.dividedUp(by: length))
    }

    /// ‖C[:, i]‖² over the first t rows, rounded up.
    private func columnSquares(_ t: Int) -> [Double] {
        var squares = [Double](repeating: 0, count: t)
        for row in rows.prefix(t) {
            for (column, value) in row.enumerated() { squares[column] += value * value }
        }
        return squares.map { UpwardRounding.value($0, operations: t) }
    }

    /// |X_ij| of the first t rows, rounded up: in whichever order the t products were added up, the error is at most
    /// t·2⁻⁵³ Σ_r |C[r][i] C[r][j]| to first order, and that sum at most the product of the columns' norms.
    private func gramMagnitudes(_ t: Int, _ squares: [Double]) -> SquareMatrix {
        var gram = block(t).gram()
        let norms = squares.map { $0.squareRoot().nextUp }
        let unit = Double(t + 8) * 0x1p-52
        for row in 0..<t {
            for column in 0..<t {
                gram[row, column] = (abs(gram[row, column]) + unit * norms[row] * norms[column]).nextUp
            }
        }
        return gram
    }
}
