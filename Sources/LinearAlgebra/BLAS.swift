import COpenBLAS
import Requirements

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
        require(
            k == k2 && c.rows == m && c.columns == n,
            "The product of shapes \(m) × \(k) and \(k2) × \(n) does not fit into \(c.rows) × \(c.columns).")
        if m == 0 || n == 0 { return }
        c.withUnsafeMutableElements { c in
            a.withUnsafeElements { a in
                b.withUnsafeElements { b in
                    gemm(
                        rows: m, columns: n, inner: k, a.baseAddress!, transposeA, b.baseAddress!, transposeB,
                        alpha: alpha, beta: beta, into: c.baseAddress!)
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
        require(
            x.count == n && y.count == m,
            "A matrix of shape \(m) × \(n) does not map \(x.count) numbers to \(y.count).")
        if n == 0 {
            // BLAS leaves y alone here, whatever β is.
            for index in y.indices { y[index] = beta == 0 ? 0 : beta * y[index] }
            return
        }
        if m == 0 { return }
        let team = teamSize(operations: 2 * m * n)
        a.withUnsafeElements { elements in
            Threads.withTeam(of: team) { member in
                let share = member.share(of: 0..<m)
                if share.isEmpty { return }
                let isTransposed = transpose == .transposed
                Threads.withSingleThreadedLibrary {
                    cblas_sgemv(
                        CblasRowMajor, flag(transpose), count(isTransposed ? n : share.count),
                        count(isTransposed ? share.count : n), alpha,
                        elements.baseAddress! + share.lowerBound * (isTransposed ? 1 : n),
                        count(max(1, a.columns)), x.baseAddress, 1, beta, y.baseAddress! + share.lowerBound, 1)
                }
            }
        }
    }

    /// Σ x_j · y_j, accumulated in Float32 as BLAS does: not for norms that privacy depends on.
    public static func dot(_ x: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>) -> Float {
        require(x.count == y.count, "A dot product of \(x.count) and \(y.count) numbers does not exist.")
        return Threads.withSingleThreadedLibrary { cblas_sdot(count(x.count), x.baseAddress, 1, y.baseAddress, 1) }
    }

    /// As many threads as have half a million operations each to do: fewer cost more to wake than they save.
    static func teamSize(operations: Int) -> Int { operations / (1 << 19) }

    private static func shape(_ matrix: Matrix, _ transpose: Transpose) -> (Int, Int) {
        transpose == .none ? (matrix.rows, matrix.columns) : (matrix.columns, matrix.rows)
    }

    static func flag(_ transpose: Transpose) -> CBLAS_TRANSPOSE {
        transpose == .none ? CblasNoTrans : CblasTrans
    }

    static func count(_ value: Int) -> Int32 {
        require(value <= Int(Int32.max), "BLAS counts in 32 bits, and a dimension of \(value) exceeds them.")
        return Int32(value)
    }
}
