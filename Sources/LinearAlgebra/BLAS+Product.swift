import COpenBLAS

extension BLAS {
    /// C = op(A) · op(B) for row-major matrices without gaps, on the calling thread: C has `rows` × `columns` elements,
    /// and `inner` is the length of the sums. For threads of a team, which share many small products among them.
    package static func product(
        rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, _ transposeA: Transpose,
        _ b: UnsafePointer<Float>, _ transposeB: Transpose, _ c: UnsafeMutablePointer<Float>
    ) {
        precondition(
            max(rows, columns, inner) <= Int(Int32.max),
            "BLAS counts in 32 bits, and \(rows) × \(inner) × \(columns) exceeds them.")
        let flag = { (transpose: Transpose) in transpose == .none ? CblasNoTrans : CblasTrans }
        Threads.withSingleThreadedLibrary {
            cblas_sgemm(
                CblasRowMajor, flag(transposeA), flag(transposeB), Int32(rows), Int32(columns), Int32(inner), 1, a,
                Int32(max(1, transposeA == .none ? inner : rows)), b,
                Int32(max(1, transposeB == .none ? columns : inner)), 0, c, Int32(max(1, columns)))
        }
    }
}
