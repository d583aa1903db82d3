import COpenBLAS

extension BLAS {
    /// C ← α · op(A) · op(B) + β · C for row-major matrices without gaps: C has `rows` × `columns` elements, and
    /// `inner` is the length of the sums.
    package static func gemm(
        rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, _ transposeA: Transpose,
        _ b: UnsafePointer<Float>, _ transposeB: Transpose, alpha: Float = 1, beta: Float = 0,
        into c: UnsafeMutablePointer<Float>
    ) {
        let (lda, ldb) = (
            max(1, transposeA == .none ? inner : rows), max(1, transposeB == .none ? columns : inner)
        )
        let team = teamSize(operations: 2 * rows * columns * inner)
        if inner > 16 * max(rows, columns) && team > 1 {
            return gemmOfLongSums(
                rows: rows, columns: columns, inner: inner, a, transposeA, lda, b, transposeB, ldb, alpha: alpha,
                beta: beta, into: c, team: min(team, Threads.limit))
        }
        // The longer side of C is cut: each member's product then stays as square as can be.
        Threads.withTeam(of: team) { member in
            let ownRows = rows >= columns ? member.share(of: 0..<rows) : 0..<rows
            let ownColumns = rows >= columns ? 0..<columns : member.share(of: 0..<columns)
            if ownRows.isEmpty || ownColumns.isEmpty { return }
            Threads.withSingleThreadedLibrary {
                cblas_sgemm(
                    CblasRowMajor, flag(transposeA), flag(transposeB), count(ownRows.count), count(ownColumns.count),
                    count(inner), alpha, a + ownRows.lowerBound * (transposeA == .none ? lda : 1), count(lda),
                    b + ownColumns.lowerBound * (transposeB == .none ? 1 : ldb), count(ldb), beta,
                    c + ownRows.lowerBound * columns + ownColumns.lowerBound, count(columns))
            }
        }
    }

    /// Cuts the sums instead, where C is small: each member makes a product of its own, and they are added up in order.
    private static func gemmOfLongSums(
        rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, _ transposeA: Transpose, _ lda: Int,
        _ b: UnsafePointer<Float>, _ transposeB: Transpose, _ ldb: Int, alpha: Float, beta: Float,
        into c: UnsafeMutablePointer<Float>, team: Int
    ) {
        let size = rows * columns
        withUnsafeTemporaryAllocation(of: Float.self, capacity: team * size) { partial in
            let partial = partial.baseAddress!
            Threads.withTeam(of: team) { member in
                let share = member.share(of: 0..<inner)
                Threads.withSingleThreadedLibrary {
                    cblas_sgemm(
                        CblasRowMajor, flag(transposeA), flag(transposeB), count(rows), count(columns),
                        count(share.count), alpha, a + share.lowerBound * (transposeA == .none ? 1 : lda), count(lda),
                        b + share.lowerBound * (transposeB == .none ? ldb : 1), count(ldb), 0,
                        partial + member.index * size, count(columns))
                }
                member.barrierWait()
                for index in member.share(of: 0..<size) {
                    let sum = (1..<member.count).reduce(partial[index]) { $0 + partial[$1 * size + index] }
                    c[index] = beta == 0 ? sum : sum + beta * c[index]
                }
            }
        }
    }
}
