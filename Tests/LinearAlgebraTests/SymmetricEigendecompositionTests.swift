import LinearAlgebra
import Testing

@Suite struct SymmetricEigendecompositionTests {
    /// Errors of some n·2⁻²³·‖A‖, with n = 3 and ‖A‖ = 4.
    let tolerance: Float = 3 * 4 * 0x1p-21

    func product(_ a: Matrix, _ transposeB: BLAS.Transpose, _ b: Matrix) -> Matrix {
        var result = Matrix(rows: a.rows, columns: b.rows)
        BLAS.gemm(a, .none, b, transposeB, into: &result)
        return result
    }

    func isClose(_ a: Matrix, _ b: Matrix) -> Bool {
        (0..<a.rows).allSatisfy { row in
            (0..<a.columns).allSatisfy { abs(a[row, $0] - b[row, $0]) <= tolerance }
        }
    }

    @Test func reassembles() throws {
        // The second difference, whose eigenvalues are 2 − √2, 2 and 2 + √2.
        let matrix = Matrix(rows: 3, columns: 3, elements: [2, -1, 0, -1, 2, -1, 0, -1, 2])
        let found = try #require(matrix.symmetricEigendecomposition())
        let root = Float(2).squareRoot()
        for (value, expected) in zip(found.eigenvalues, [2 - root, 2, 2 + root]) {
            #expect(abs(value - expected) <= tolerance)
        }
        let vectors = found.eigenvectors
        var scaled = vectors
        for row in 0..<3 {
            for column in 0..<3 { scaled[row, column] *= found.eigenvalues[column] }
        }
        #expect(isClose(product(scaled, .transposed, vectors), matrix))
        #expect(!isClose(product(scaled, .none, vectors), matrix))
        let identity = Matrix(rows: 3, columns: 3, elements: [1, 0, 0, 0, 1, 0, 0, 0, 1])
        #expect(isClose(product(vectors, .transposed, vectors), identity))
    }

    @Test func onlyTheUpperTriangleCounts() throws {
        let whole = Matrix(rows: 2, columns: 2, elements: [1, 2, 2, 5])
        let upper = Matrix(rows: 2, columns: 2, elements: [1, 2, 77, 5])
        let lower = Matrix(rows: 2, columns: 2, elements: [1, 77, 2, 5])
        let values = try #require(whole.symmetricEigendecomposition()).eigenvalues
        #expect(upper.symmetricEigendecomposition()?.eigenvalues == values)
        #expect(lower.symmetricEigendecomposition()?.eigenvalues != values)
    }

    @Test(arguments: [Float.nan, .infinity])
    func nothingForWhatIsNotFinite(_ value: Float) {
        #expect(Matrix(rows: 2, columns: 2, elements: [1, value, value, 1]).symmetricEigendecomposition() == nil)
        #expect(Matrix(rows: 2, columns: 2, elements: [1, 0, 0, 1]).symmetricEigendecomposition() != nil)
        #expect(Matrix(rows: 0, columns: 0).symmetricEigendecomposition()?.eigenvalues == [])
    }
}
