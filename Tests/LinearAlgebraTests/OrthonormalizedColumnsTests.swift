import LinearAlgebra
import Testing

struct OrthonormalizedColumnsTests {
    /// The largest element of |QᵀQ - I|, in units of its bound rows·2ε with ε = 2⁻²⁴.
    ///
    /// Householder's Q is that near to orthonormal whatever the matrix (Higham, Accuracy and Stability of Numerical
    /// Algorithms, theorem 19.4: a small multiple of rows·columns·ε per column; the columns here are few).
    private static func departure(_ q: Matrix) -> Double {
        var departure = 0.0
        for left in 0..<q.columns {
            for right in 0..<q.columns {
                let dot = (0..<q.rows).reduce(0.0) { $0 + Double(q[$1, left]) * Double(q[$1, right]) }
                departure = max(departure, (dot - (left == right ? 1 : 0)).magnitude)
            }
        }
        return departure / (Double(max(q.rows, 8)) * 0x1p-23)
    }

    /// The largest part of a column of `a` outside the span of `q`, relative to the column, in the same units.
    private static func residue(of a: Matrix, outside q: Matrix) -> Double {
        var largest = 0.0
        for column in 0..<a.columns {
            var rest = (0..<a.rows).map { Double(a[$0, column]) }
            let norm = rest.reduce(0) { $0 + $1 * $1 }.squareRoot()
            for direction in 0..<q.columns {
                let dot = rest.indices.reduce(0.0) { $0 + rest[$1] * Double(q[$1, direction]) }
                for row in rest.indices { rest[row] -= dot * Double(q[row, direction]) }
            }
            if norm > 0 { largest = max(largest, rest.reduce(0) { $0 + $1 * $1 }.squareRoot() / norm) }
        }
        return largest / (Double(max(a.rows, 8)) * 0x1p-23)
    }

    /// Columns of ones that differ by 10⁻⁴ in one row each (Läuchli 1961): independent, but only just.
    private static var nearlyDependent: Matrix {
        var matrix = Matrix(rows: 7, columns: 6)
        for column in 0..<6 {
            matrix[0, column] = 1
            matrix[column + 1, column] = 1e-4
        }
        return matrix
    }

    /// Subtracts from each column its projections on the earlier ones, all in Float32, as the textbook has it.
    private static func classicalGramSchmidt(_ a: Matrix) -> Matrix {
        var q = a
        for column in 0..<a.columns {
            for earlier in 0..<column {
                let dot = (0..<a.rows).reduce(Float(0)) { $0 + q[$1, earlier] * a[$1, column] }
                for row in 0..<a.rows { q[row, column] -= dot * q[row, earlier] }
            }
            let norm = (0..<a.rows).reduce(Float(0)) { $0 + q[$1, column] * q[$1, column] }.squareRoot()
            for row in 0..<a.rows { q[row, column] /= norm }
        }
        return q
    }

    @Test(arguments: [[1, 1], [2, 1], [5, 5], [8, 3], [40, 40], [200, 20], [1000, 16]])
    func randomColumnsBecomeOrthonormalAndSpanTheSame(shape: [Int]) {
        var generator = SeededGenerator(seed: 1)
        let a = generator.matrix(shape[0], shape[1])
        let q = a.orthonormalizedColumns()
        #expect((q.rows, q.columns) == (a.rows, a.columns))
        #expect(Self.departure(q) <= 1)
        #expect(Self.residue(of: a, outside: q) <= 1)
        // As many orthonormal columns that span all of A's span nothing else, as A's are independent.
        // Control: the columns before, and the span of other columns.
        #expect(Self.departure(a) > 1)
        if shape[0] > shape[1] {
            let other = generator.matrix(shape[0], shape[1]).orthonormalizedColumns()
            #expect(Self.residue(of: a, outside: other) > 1)
        }
    }

    @Test func nearlyDependentColumnsDoToo() {
        let q = Self.nearlyDependent.orthonormalizedColumns()
        #expect(Self.departure(q) <= 1)
        #expect(Self.residue(of: Self.nearlyDependent, outside: q) <= 1)
        // Control: classical Gram–Schmidt loses them.
        #expect(Self.departure(Self.classicalGramSchmidt(Self.nearlyDependent)) > 1000)
    }

    @Test func dependentColumnsGiveAnOrthonormalSuperset() {
        var generator = SeededGenerator(seed: 2)
        var a = generator.matrix(30, 5)
        for row in 0..<30 {
            a[row, 2] = a[row, 0] * 2
            a[row, 4] = 0
        }
        let q = a.orthonormalizedColumns()
        #expect(Self.departure(q) <= 1)
        #expect(Self.residue(of: a, outside: q) <= 1)
        #expect(Self.departure(Matrix(rows: 6, columns: 3).orthonormalizedColumns()) <= 1)
    }

    @Test func theOriginalStaysAndEmptyShapesPass() {
        var generator = SeededGenerator(seed: 3)
        let a = generator.matrix(6, 3)
        let before = a.elements
        _ = a.orthonormalizedColumns()
        #expect(a.elements.bits == before.bits)
        #expect(Matrix(rows: 4, columns: 0).orthonormalizedColumns() == Matrix(rows: 4, columns: 0))
        #expect(Matrix(rows: 0, columns: 0).orthonormalizedColumns() == Matrix(rows: 0, columns: 0))
    }

    @Test func moreColumnsThanRowsTrap() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Matrix(rows: 2, columns: 3).orthonormalizedColumns()
        }
        #if DEBUG
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("3 columns of 2 elements cannot be orthonormal: there are too many of them."))
        #endif
        await #expect(processExitsWith: .success) { _ = Matrix(rows: 3, columns: 3).orthonormalizedColumns() }
    }
}
