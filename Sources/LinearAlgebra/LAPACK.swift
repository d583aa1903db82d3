import COpenBLAS
import Requirements

extension Matrix {
    /// The matrix Q of a QR factorisation: orthonormal columns that span the columns of this matrix.
    ///
    /// Shapes: `rows × columns` in and out, with `rows ≥ columns`. Householder reflections (LAPACK `sgeqrf`, `sorgqr`),
    /// so that QᵀQ differs from the identity by a small multiple of the Float32 rounding error even for columns that
    /// are nearly dependent. Traps if there are more columns than rows.
    public func orthonormalizedColumns() -> Matrix {
        require(
            rows >= columns, "\(columns) columns of \(rows) elements cannot be orthonormal: there are too many of them."
        )
        var q = self
        if count == 0 { return q }
        let (m, n) = (Int32(rows), Int32(columns))
        var tau = [Float](repeating: 0, count: columns)
        q.withUnsafeMutableElements { elements in
            Threads.withSingleThreadedLibrary {
                let factored = LAPACKE_sgeqrf(LAPACK_ROW_MAJOR, m, n, elements.baseAddress, n, &tau)
                require(factored == 0, "LAPACK sgeqrf refused argument \(-factored) of a \(m) × \(n) matrix.")
                let formed = LAPACKE_sorgqr(LAPACK_ROW_MAJOR, m, n, n, elements.baseAddress, n, tau)
                require(formed == 0, "LAPACK sorgqr refused argument \(-formed) of a \(m) × \(n) matrix.")
            }
        }
        return q
    }
}
