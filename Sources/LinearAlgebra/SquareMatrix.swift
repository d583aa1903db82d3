import COpenBLAS
import Requirements

/// A dense, row-major Float64 matrix of order n, for mathematics beside training: errors are small multiples of the
/// Float64 rounding error. On the calling thread.
package struct SquareMatrix: Sendable {
    /// n.
    package let order: Int
    /// n² elements, row after row.
    package var elements: [Double]

    /// A matrix of zeros. Traps unless n ≥ 1 and n² fits BLAS's 32 bits.
    package init(order: Int) {
        require((1...1 << 15).contains(order), "A matrix cannot have the order \(order), but 1 to 32768.")
        self.order = order
        elements = [Double](repeating: 0, count: order * order)
    }

    /// The element in row `row` and column `column`.
    @inlinable package subscript(row: Int, column: Int) -> Double {
        get { elements[row * order + column] }
        set { elements[row * order + column] = newValue }
    }

    /// CᵀC of this matrix C: symmetric, with equal bits in both triangles (BLAS `dsyrk`).
    package func gram() -> SquareMatrix {
        var result = SquareMatrix(order: order)
        let n = Int32(order)
        Threads.withSingleThreadedLibrary {
            cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, n, n, 1, elements, n, 0, &result.elements, n)
        }
        result.mirrorLowerTriangle()
        return result
    }

    /// The lower-triangular L with a positive diagonal and LLᵀ = X, from the lower triangle of this matrix X (LAPACK
    /// `dpotrf`); nil if X is not positive definite, or not finite.
    package func choleskyFactor() -> SquareMatrix? {
        var factor = self
        // The upper triangle of a matrix that is stored by columns is the lower one of it by rows.
        let status = Threads.withSingleThreadedLibrary {
            LAPACKE_dpotrf(LAPACK_COL_MAJOR, upper, Int32(order), &factor.elements, Int32(order))
        }
        guard status == 0, (0..<order).allSatisfy({ factor[$0, $0].isFinite }) else { return nil }
        for row in 0..<order {
            for column in row + 1..<order { factor[row, column] = 0 }
        }
        return factor
    }

    /// X⁻¹, where this matrix is the Cholesky factor L of X = LLᵀ (LAPACK `dpotri`).
    package func inverseOfSquare() -> SquareMatrix {
        var result = self
        let status = Threads.withSingleThreadedLibrary {
            LAPACKE_dpotri(LAPACK_COL_MAJOR, upper, Int32(order), &result.elements, Int32(order))
        }
        require(status == 0, "LAPACK dpotri answered \(status) for a Cholesky factor of order \(order).")
        result.mirrorLowerTriangle()
        return result
    }

    /// Replaces this matrix B by B·C⁻¹ for a lower-triangular C without zeros on its diagonal (BLAS `dtrsm`). Traps
    /// unless both have one order.
    package mutating func divideFromRight(byLower divisor: SquareMatrix) {
        require(
            divisor.order == order, "A matrix of order \(order) cannot be divided by one of order \(divisor.order).")
        let n = Int32(order)
        Threads.withSingleThreadedLibrary {
            cblas_dtrsm(
                CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, n, n, 1, divisor.elements, n,
                &elements, n)
        }
    }

    private var upper: CChar { CChar(UInt8(ascii: "U")) }

    private mutating func mirrorLowerTriangle() {
        for row in 0..<order {
            for column in 0..<row { self[column, row] = self[row, column] }
        }
    }
}
