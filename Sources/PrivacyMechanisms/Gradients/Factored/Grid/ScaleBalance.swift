import LinearAlgebra

/// Powers of two that take out of a scale what its rows and its columns have in common: s_pq ≈ 2^(k_p + l_q).
///
/// Integers of 16 bits have to serve a whole layer, and a scale of scale-then-privatize spans many orders of magnitude:
/// 1/√v where there are gradients, 1/ε where there are none. The second moment of an outer product is nearly one of
/// row and column moments, so what is left, s'_pq = s_pq·2^(−k_p − l_q), is near 1. k_p is the mean of the exponents in
/// row p, and l_q that in column q, less the mean of all.
struct ScaleBalance {
    /// 2^k_p, which activations are multiplied by.
    let activationWeights: [Float]
    /// 2^l_q, which output gradients are multiplied by.
    let gradientWeights: [Float]

    /// The balance of a scale of `rows` × `columns`. A function of the scale alone.
    init(_ scale: UnsafePointer<Float>, rows: Int, columns: Int) {
        let length = max(1, (rows + 15) / 16)
        let pieces = TaskTeam.pieces(of: rows, length: length)
        var rowSums = [Int64](repeating: 0, count: rows)
        var columnSums = [Int32](repeating: 0, count: pieces * columns)
        let kernels = Kernels.active
        rowSums.withUnsafeMutableBufferPointer { rowSums in
            columnSums.withUnsafeMutableBufferPointer { columnSums in
                // Pieces write disjoint parts.
                nonisolated(unsafe) let (rowSums, columnSums) = (rowSums, columnSums)
                TaskTeam.run(tasks: pieces, work: rows * columns) { piece, _ in
                    for row in TaskTeam.piece(piece, of: rows, length: length) {
                        rowSums[row] = kernels.exponent_sums(
                            scale + row * columns, columns, columnSums.baseAddress! + piece * columns)
                    }
                }
            }
        }
        let total = rowSums.reduce(0, +)
        let mean = Double(total) / Double(max(1, rows * columns))
        activationWeights = rowSums.map { Self.power(Double($0) / Double(columns)) }
        gradientWeights = (0..<columns).map { column in
            let sum = (0..<pieces).reduce(0) { $0 + Int(columnSums[$1 * columns + column]) }
            return Self.power(Double(sum) / Double(rows) - mean)
        }
    }

    /// The power of two of the nearest exponent, one whose square and its inverse Float32 has as well.
    private static func power(_ exponent: Double) -> Float {
        Float(sign: .plus, exponent: Int(max(-60, min(60, exponent.rounded()))), significand: 1)
    }
}
