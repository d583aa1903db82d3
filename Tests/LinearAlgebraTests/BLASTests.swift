import LinearAlgebra
import Testing

/// ε, the relative error of one rounding to Float32.
private let unit = Double(Float.ulpOfOne) / 2

/// α · op(A) · op(B) + β · C in Float64, and for each element the sum of its terms' magnitudes.
private func reference(
    _ a: Matrix, _ transposeA: BLAS.Transpose, _ b: Matrix, _ transposeB: BLAS.Transpose, alpha: Float, beta: Float,
    _ c: Matrix
) -> (values: [Double], magnitudes: [Double], terms: Int) {
    let a = transposeA == .none ? a : a.transposed
    let b = transposeB == .none ? b : b.transposed
    var values = [Double](repeating: 0, count: c.count)
    var magnitudes = values
    for row in 0..<a.rows {
        for column in 0..<b.columns {
            var (sum, magnitude) = (0.0, 0.0)
            for j in 0..<a.columns {
                let product = Double(a[row, j]) * Double(b[j, column])
                sum += product
                magnitude += product.magnitude
            }
            // Where β is 0, C is only written, whatever it holds.
            let old = beta == 0 ? 0 : Double(beta) * Double(c[row, column])
            values[row * c.columns + column] = Double(alpha) * sum + old
            magnitudes[row * c.columns + column] = Double(alpha).magnitude * magnitude + old.magnitude
        }
    }
    return (values, magnitudes, a.columns)
}

/// The largest error in units of its bound (n + 3)·ε·Σ|terms|: each term meets at most n + 3 roundings, in its
/// product, the n additions, and the scalings by α and β.
private func excess(_ found: [Float], _ reference: (values: [Double], magnitudes: [Double], terms: Int)) -> Double {
    var excess = 0.0
    for (index, value) in found.enumerated() {
        let error = (Double(value) - reference.values[index]).magnitude
        if error == 0 { continue }
        let bound = Double(reference.terms + 3) * unit * reference.magnitudes[index]
        excess = max(excess, error.isNaN || bound == 0 ? .infinity : error / bound)
    }
    return excess
}

struct BLASTests {
    private static let transposes: [BLAS.Transpose] = [.none, .transposed]

    private static func operand(
        _ rows: Int, _ columns: Int, _ transpose: BLAS.Transpose, from generator: inout SeededGenerator
    ) -> Matrix {
        transpose == .none ? generator.matrix(rows, columns) : generator.matrix(columns, rows)
    }

    @Test(arguments: [
        [1, 1, 1], [1, 5, 3], [4, 1, 7], [3, 6, 1], [7, 7, 7], [16, 32, 64], [33, 17, 65], [150, 130, 140],
        [0, 3, 4], [3, 0, 4], [3, 4, 0], [0, 0, 0],
        // Sums so long that they are cut up among threads.
        [12, 20, 5000], [9, 1, 60_001],
    ])
    func productsStayWithinTheBound(shape: [Int]) {
        let (m, n, k) = (shape[0], shape[1], shape[2])
        var generator = SeededGenerator(seed: 1)
        for transposeA in Self.transposes {
            for transposeB in Self.transposes {
                for (alpha, beta) in [(1, 0), (-0.7, 1), (0.3, -2), (0, 1), (0, 0)] as [(Float, Float)] {
                    let a = Self.operand(m, k, transposeA, from: &generator)
                    let b = Self.operand(k, n, transposeB, from: &generator)
                    let old = generator.matrix(m, n)
                    var c = old
                    BLAS.gemm(a, transposeA, b, transposeB, alpha: alpha, beta: beta, into: &c)
                    let exact = reference(a, transposeA, b, transposeB, alpha: alpha, beta: beta, old)
                    #expect(excess(c.elements, exact) <= 1)
                }
            }
        }
    }

    @Test func theBoundRejectsOtherProducts() {
        var generator = SeededGenerator(seed: 2)
        let (a, b, old) = (generator.matrix(40, 40), generator.matrix(40, 40), generator.matrix(40, 40))
        var c = old
        BLAS.gemm(a, .none, b, .none, alpha: 1, beta: 1, into: &c)
        #expect(excess(c.elements, reference(a, .none, b, .none, alpha: 1, beta: 1, old)) <= 1)
        // Controls: another flag, another β, another α, and a term in the last place of bfloat16.
        #expect(excess(c.elements, reference(a, .transposed, b, .none, alpha: 1, beta: 1, old)) > 1)
        #expect(excess(c.elements, reference(a, .none, b, .transposed, alpha: 1, beta: 1, old)) > 1)
        #expect(excess(c.elements, reference(a, .none, b, .none, alpha: 1, beta: 0, old)) > 1)
        #expect(excess(c.elements, reference(a, .none, b, .none, alpha: 1.001, beta: 1, old)) > 1)
        let coarse = Matrix(
            rows: 40, columns: 40, elements: b.elements.map { Float(bitPattern: $0.bitPattern & 0xffff_0000) })
        BLAS.gemm(a, .none, coarse, .none, alpha: 1, beta: 0, into: &c)
        #expect(excess(c.elements, reference(a, .none, b, .none, alpha: 1, beta: 0, old)) > 1)
    }

    @Test func resultsAreWrittenNotScaledWhereBetaIsZero() {
        var generator = SeededGenerator(seed: 3)
        let (a, b) = (generator.matrix(9, 5), generator.matrix(5, 6))
        var c = Matrix(rows: 9, columns: 6, elements: [Float](repeating: .nan, count: 54))
        let old = c
        BLAS.gemm(a, .none, b, .none, into: &c)
        #expect(excess(c.elements, reference(a, .none, b, .none, alpha: 1, beta: 0, old)) <= 1)
        // Control: with another β the old numbers count.
        c = old
        BLAS.gemm(a, .none, b, .none, beta: 1, into: &c)
        #expect(c.elements.allSatisfy { $0.isNaN })
        for transpose in Self.transposes {
            let x = generator.floats(transpose == .none ? 5 : 9)
            var y = [Float](repeating: .nan, count: transpose == .none ? 9 : 5)
            x.withUnsafeBufferPointer { x in
                y.withUnsafeMutableBufferPointer { BLAS.gemv(a, transpose, x, into: $0) }
            }
            #expect(y.allSatisfy { $0.isFinite })
        }
    }

    /// However the product is cut up, no element is left out and none is added to twice. Small, cut by rows, cut by
    /// columns, and cut along the sums.
    @Test(arguments: [[3, 4, 5], [300, 40, 100], [40, 300, 100], [12, 20, 5000], [0, 3, 2]])
    func everyElementIsAddedToOnce(shape: [Int]) {
        var generator = SeededGenerator(seed: 6)
        let (a, b) = (generator.matrix(shape[0], shape[2]), generator.matrix(shape[2], shape[1]))
        let old = generator.matrix(shape[0], shape[1])
        let expected = reference(a, .none, b, .none, alpha: 1, beta: 1, old)
        var c = old
        BLAS.gemm(a, .none, b, .none, beta: 1, into: &c)
        #expect(excess(c.elements, expected) <= 1)
        // Control: the last row once more, and once too few.
        guard shape[0] > 0 else { return }
        let (once, start) = (c.elements, (shape[0] - 1) * shape[1])
        BLAS.gemm(a, .none, b, .none, beta: 1, into: &c)
        #expect(excess(Array(once[..<start] + c.elements[start...]), expected) > 1)
        #expect(excess(Array(once[..<start] + old.elements[start...]), expected) > 1)
    }

    @Test func aSharedResultIsCopiedFirst() {
        let a = Matrix(rows: 2, columns: 2, elements: [1, 2, 3, 4])
        var c = a
        let copy = c
        BLAS.gemm(a, .none, a, .none, into: &c)
        #expect(c.elements == [7, 10, 15, 22])
        #expect(copy.elements == [1, 2, 3, 4] && a.elements == [1, 2, 3, 4])
    }

    @Test(arguments: [[1, 1], [1, 9], [9, 1], [7, 13], [64, 64], [301, 203], [0, 4], [0, 0]])
    func matricesTimesVectorsStayWithinTheBound(shape: [Int]) {
        var generator = SeededGenerator(seed: 4)
        for transpose in Self.transposes {
            for (alpha, beta) in [(1, 0), (-0.7, 1), (0.3, -2)] as [(Float, Float)] {
                let a = Self.operand(shape[0], shape[1], transpose, from: &generator)
                let x = generator.matrix(shape[1], 1)
                let old = generator.matrix(shape[0], 1)
                var y = old
                x.withUnsafeElements { x in
                    y.withUnsafeMutableElements { BLAS.gemv(a, transpose, x, alpha: alpha, beta: beta, into: $0) }
                }
                let exact = reference(a, transpose, x, .none, alpha: alpha, beta: beta, old)
                #expect(excess(y.elements, exact) <= 1)
                // Control: a vector in reverse is another one.
                if shape[0] > 1 && shape[1] > 0 { #expect(excess(y.elements.reversed(), exact) > 1) }
            }
        }
    }

    @Test(arguments: [0, 1, 2, 7, 8, 63, 64, 65, 1000, 20_011])
    func dotProductsStayWithinTheBound(count: Int) {
        var generator = SeededGenerator(seed: 5)
        let (x, y) = (generator.matrix(1, count), generator.matrix(count, 1))
        let found = x.withUnsafeElements { x in y.withUnsafeElements { BLAS.dot(x, $0) } }
        let exact = reference(x, .none, y, .none, alpha: 1, beta: 0, Matrix(rows: 1, columns: 1))
        #expect(excess([found], exact) <= 1)
        // Control: a term left out.
        if count > 0 {
            let rest = x.withUnsafeElements { x in
                y.withUnsafeElements { y in
                    BLAS.dot(UnsafeBufferPointer(rebasing: x.dropLast()), UnsafeBufferPointer(rebasing: y.dropLast()))
                }
            }
            #expect(count > 1000 || excess([rest], exact) > 1)
        }
    }

    @Test func dotProductsOfNothingAreZero() {
        let nothing = UnsafeBufferPointer<Float>(start: nil, count: 0)
        #expect(BLAS.dot(nothing, nothing) == 0)
    }
}

struct BLASTrapTests {
    private func expect(_ sentence: String, in result: ExitTest.Result?) {
        #if DEBUG
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains(sentence))
        #endif
    }

    @Test func productsThatDoNotFitTrap() async {
        var result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var c = Matrix(rows: 2, columns: 2)
            BLAS.gemm(Matrix(rows: 2, columns: 3), .none, Matrix(rows: 2, columns: 2), .none, into: &c)
        }
        expect("The product of shapes 2 × 3 and 2 × 2 does not fit into 2 × 2.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var c = Matrix(rows: 2, columns: 2)
            BLAS.gemm(Matrix(rows: 3, columns: 2), .transposed, Matrix(rows: 3, columns: 4), .none, into: &c)
        }
        expect("The product of shapes 2 × 3 and 3 × 4 does not fit into 2 × 2.", in: result)
        await #expect(processExitsWith: .success) {
            var c = Matrix(rows: 2, columns: 4)
            BLAS.gemm(Matrix(rows: 3, columns: 2), .transposed, Matrix(rows: 3, columns: 4), .none, into: &c)
        }
    }

    @Test func vectorsThatDoNotFitTrap() async {
        var result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            var y = Matrix(rows: 3, columns: 1)
            let a = Matrix(rows: 2, columns: 3)
            a.withUnsafeElements { x in
                y.withUnsafeMutableElements { BLAS.gemv(a, .none, UnsafeBufferPointer(rebasing: x[..<3]), into: $0) }
            }
        }
        expect("A matrix of shape 2 × 3 does not map 3 numbers to 3.", in: result)
        result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Matrix(rows: 1, columns: 3).withUnsafeElements {
                print(BLAS.dot($0, UnsafeBufferPointer(rebasing: $0[1...])))
            }
        }
        expect("A dot product of 3 and 2 numbers does not exist.", in: result)
        await #expect(processExitsWith: .success) {
            var y = Matrix(rows: 3, columns: 1)
            let a = Matrix(rows: 2, columns: 3)
            a.withUnsafeElements { x in
                y.withUnsafeMutableElements {
                    BLAS.gemv(a, .transposed, UnsafeBufferPointer(rebasing: x[..<2]), into: $0)
                }
            }
            print(a.withUnsafeElements { BLAS.dot($0, $0) })
        }
    }
}
