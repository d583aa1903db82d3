import LinearAlgebra
import Testing

/// The products for threads of a team, on parts of larger matrices.
struct BLASProductTests {
    /// A part of `matrix` as a matrix of its own.
    private static func part(_ matrix: Matrix, _ rows: Range<Int>, _ columns: Range<Int>) -> Matrix {
        Matrix(
            rows: rows.count, columns: columns.count,
            elements: rows.flatMap { row in columns.map { matrix[row, $0] } })
    }

    @Test(arguments: [BLAS.Transpose.none, .transposed], [BLAS.Transpose.none, .transposed])
    func partsOfMatricesAreMultiplied(transposeA: BLAS.Transpose, transposeB: BLAS.Transpose) {
        var generator = SeededGenerator(seed: 1)
        let (m, n, k) = (5, 7, 11)
        let (left, right) = (generator.matrix(20, 20), generator.matrix(20, 20))
        let a = transposeA == .none ? Self.part(left, 3..<3 + m, 2..<2 + k) : Self.part(left, 3..<3 + k, 2..<2 + m)
        let b = transposeB == .none ? Self.part(right, 1..<1 + k, 4..<4 + n) : Self.part(right, 1..<1 + n, 4..<4 + k)
        var expected = Matrix(rows: m, columns: n)
        BLAS.gemm(a, transposeA, b, transposeB, into: &expected)
        var found = Matrix(rows: m, columns: n)
        found.withUnsafeMutableElements { found in
            left.withUnsafeElements { left in
                right.withUnsafeElements { right in
                    BLAS.product(
                        rows: m, columns: n, inner: k, left.baseAddress! + 3 * 20 + 2, transposeA, strideA: 20,
                        right.baseAddress! + 20 + 4, transposeB, strideB: 20, found.baseAddress!)
                }
            }
        }
        // Two sums of 11 products of at most 1, each within 11·2⁻²⁴·11.
        let tolerance: Float = 2 * 11 * 11 * 0x1p-24
        #expect(zip(found.elements, expected.elements).allSatisfy { abs($0 - $1) <= tolerance })
        // The control: the same without strides.
        a.withUnsafeElements { a in
            b.withUnsafeElements { b in
                found.withUnsafeMutableElements {
                    BLAS.product(
                        rows: m, columns: n, inner: k, a.baseAddress!, transposeA, b.baseAddress!, transposeB,
                        $0.baseAddress!)
                }
            }
        }
        #expect(zip(found.elements, expected.elements).allSatisfy { abs($0 - $1) <= tolerance })
        #expect(found != Self.part(left, 0..<m, 0..<n))
    }
}
