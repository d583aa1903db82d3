import COpenBLAS

/// The BLAS calls in use, on matrices and vectors of Float32, in Swift spelling.
///
/// BLAS counts in 32 bits: each dimension must stay below 2³¹, while the product of two may exceed it. Every call
/// traps with both shapes when they do not fit each other.
public enum BLAS {
    /// Whether a matrix takes part as it is or transposed.
    public enum Transpose: Sendable {
        case none
        case transposed
    }

    /// C ← α · op(A) · op(B) + β · C, with op the identity or the transpose.
    public static func gemm(
        _ a: Matrix, _ transposeA: Transpose, _ b: Matrix, _ transposeB: Transpose,
        alpha: Float = 1, beta: Float = 0, into c: inout Matrix
    ) {
        let (m, k) = shape(a, transposeA)
        let (k2, n) = shape(b, transposeB)
        precondition(
            k == k2 && c.rows == m && c.columns == n,
            "The product of shapes \(m) × \(k) and \(k2) × \(n) does not fit into \(c.rows) × \(c.columns).")
        if m == 0 || n == 0 { return }
        let lda = max(1, a.columns)
        let ldb = max(1, b.columns)
        c.withUnsafeMutableElements { c in
            a.withUnsafeElements { a in
                b.withUnsafeElements { b in
                    Threads.withLibraryThreads {
                        cblas_sgemm(
                            CblasRowMajor, flag(transposeA), flag(transposeB), count(m), count(n), count(k), alpha,
                            a.baseAddress, count(lda), b.baseAddress, count(ldb), beta, c.baseAddress, count(n))
                    }
                }
            }
        }
    }

    /// y ← α · op(A) · x + β · y.
    public static func gemv(
        _ a: Matrix, _ transpose: Transpose, _ x: UnsafeBufferPointer<Float>,
        alpha: Float = 1, beta: Float = 0, into y: UnsafeMutableBufferPointer<Float>
    ) {
        let (m, n) = shape(a, transpose)
        precondition(
            x.count == n && y.count == m,
            "A matrix of shape \(m) × \(n) does not map \(x.count) numbers to \(y.count).")
        if a.count == 0 { return }
        a.withUnsafeElements { elements in
            Threads.withLibraryThreads {
                cblas_sgemv(
                    CblasRowMajor, flag(transpose), count(a.rows), count(a.columns), alpha, elements.baseAddress,
                    count(a.columns), x.baseAddress, 1, beta, y.baseAddress, 1)
            }
        }
    }

    /// Σ x_j · y_j, accumulated in Float32 as BLAS does: not for norms that privacy depends on.
    public static func dot(_ x: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>) -> Float {
        precondition(x.count == y.count, "A dot product of \(x.count) and \(y.count) numbers does not exist.")
        return Threads.withLibraryThreads { cblas_sdot(count(x.count), x.baseAddress, 1, y.baseAddress, 1) }
    }

    private static func shape(_ matrix: Matrix, _ transpose: Transpose) -> (Int, Int) {
        transpose == .none ? (matrix.rows, matrix.columns) : (matrix.columns, matrix.rows)
    }

    private static func flag(_ transpose: Transpose) -> CBLAS_TRANSPOSE {
        transpose == .none ? CblasNoTrans : CblasTrans
    }

    private static func count(_ value: Int) -> Int32 {
        precondition(value <= Int(Int32.max), "BLAS counts in 32 bits, and a dimension of \(value) exceeds them.")
        return Int32(value)
    }
}
