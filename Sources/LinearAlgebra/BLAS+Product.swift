import COpenBLAS
import Requirements

extension BLAS {
    /// C = op(A) · op(B) for row-major matrices, on the calling thread: C has `rows` × `columns` elements without gaps,
    /// and `inner` is the length of the sums. For threads of a team, which share many small products among them.
    ///
    /// - Parameters:
    ///   - strideA: from one row of A, as it lies in memory, to the next; nil where there are no gaps.
    ///   - strideB: the same for B.
    ///   - accumulates: whether the product is added to what C holds, each element with one more rounding.
    package static func product(
        rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, _ transposeA: Transpose, strideA: Int? = nil,
        _ b: UnsafePointer<Float>, _ transposeB: Transpose, strideB: Int? = nil, _ c: UnsafeMutablePointer<Float>,
        accumulates: Bool = false
    ) {
        preconditionCountable(max(rows, columns, inner, max(strideA ?? 0, strideB ?? 0)))
        Threads.withSingleThreadedLibrary {
            cblas_sgemm(
                CblasRowMajor, flag(transposeA), flag(transposeB), Int32(rows), Int32(columns), Int32(inner), 1, a,
                Int32(max(1, strideA ?? (transposeA == .none ? inner : rows))), b,
                Int32(max(1, strideB ?? (transposeB == .none ? columns : inner))), accumulates ? 1 : 0, c,
                Int32(max(1, columns)))
        }
    }

    private static func preconditionCountable(_ largest: Int) {
        require(
            largest <= Int(Int32.max), "BLAS counts in 32 bits, and a dimension of \(largest) exceeds them.")
    }
}
