import COpenBLAS

extension BLAS {
    /// C ← α · op(A) · op(B) + β · C for row-major matrices without gaps: C has `rows` × `columns` elements, and `inner`
    /// is the length of the sums.
    ///
    /// Each member of the team calls `finish` with the rows and columns of C that it has just computed and that are
    /// still in its cache.
    package static func gemm(
        rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, _ transposeA: Transpose,
        _ b: UnsafePointer<Float>, _ transposeB: Transpose, alpha: Float = 1, beta: Float = 0,
        into c: UnsafeMutablePointer<Float>, finish: (Range<Int>, Range<Int>) -> Void = { _, _ in }
    ) {
        let (lda, ldb) = (
            max(1, transposeA == .none ? inner : rows), max(1, transposeB == .none ? columns : inner)
        )
        // The longer side of C is cut: each member's product then stays as square as can be.
        Threads.withTeam(of: teamSize(operations: 2 * rows * columns * inner)) { member in
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
            finish(ownRows, ownColumns)
        }
    }
}
