import COpenBLAS
import Requirements

/// The eigenvalues of a symmetric matrix, ascending, and its orthonormal eigenvectors as columns.
public struct SymmetricEigendecomposition: Sendable {
    /// The eigenvalues λ, ascending.
    public let eigenvalues: [Float]

    /// The matrix U of eigenvectors: column i belongs to eigenvalue i.
    public let eigenvectors: Matrix
}

extension Matrix {
    /// A = U · diag(λ) · Uᵀ, from the upper triangle of this square matrix; nil if that has an element that is not
    /// finite, or if the iteration does not converge.
    ///
    /// Divide and conquer (LAPACK `ssyevd`): errors in A and UᵀU − I are a small multiple of the Float32 rounding
    /// error times ‖A‖. Traps unless the matrix is square.
    public func symmetricEigendecomposition() -> SymmetricEigendecomposition? {
        require(rows == columns, "A matrix of shape \(rows) × \(columns) is not symmetric.")
        var vectors = self
        var values = [Float](repeating: 0, count: rows)
        if rows == 0 { return SymmetricEigendecomposition(eigenvalues: values, eigenvectors: vectors) }
        let order = Int32(rows)
        let status = vectors.withUnsafeMutableElements { elements in
            Threads.withSingleThreadedLibrary {
                LAPACKE_ssyevd(
                    LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")), order,
                    elements.baseAddress, order, &values)
            }
        }
        // Negative: LAPACKE found a NaN. Positive: no convergence. An infinity shows as NaN in the results.
        guard status == 0, values.allSatisfy(\.isFinite) else { return nil }
        return SymmetricEigendecomposition(eigenvalues: values, eigenvectors: vectors)
    }
}
