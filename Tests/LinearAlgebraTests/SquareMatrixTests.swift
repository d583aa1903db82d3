import Testing
import _TestSupport

@testable import LinearAlgebra

@Suite struct SquareMatrixTests {
    private static func lowerTriangle(_ order: Int) -> SquareMatrix {
        var generator = SeededGenerator(seed: UInt64(order))
        var matrix = SquareMatrix(order: order)
        for row in 0..<order {
            for column in 0...row { matrix[row, column] = Double.random(in: -1...1, using: &generator) }
            matrix[row, row] = Double.random(in: 1...2, using: &generator)
        }
        return matrix
    }

    private static func product(_ a: SquareMatrix, _ b: SquareMatrix, transposingSecond: Bool = false) -> SquareMatrix {
        var result = SquareMatrix(order: a.order)
        for row in 0..<a.order {
            for column in 0..<a.order {
                result[row, column] = (0..<a.order).reduce(0) {
                    $0 + a[row, $1] * (transposingSecond ? b[column, $1] : b[$1, column])
                }
            }
        }
        return result
    }

    private static func distance(_ a: SquareMatrix, _ b: SquareMatrix) -> Double {
        zip(a.elements, b.elements).map { abs($0 - $1) }.max()!
    }

    @Test(arguments: [1, 2, 5, 9])
    func factorsAndInverses(order: Int) throws {
        let lower = Self.lowerTriangle(order)
        // The condition of these matrices is below 10⁵, and their elements below 20.
        let tolerance = 1e-9
        let square = Self.product(lower, lower, transposingSecond: true)
        let factor = try #require(square.choleskyFactor())
        #expect(Self.distance(factor, lower) < tolerance)
        var unit = SquareMatrix(order: order)
        for index in 0..<order { unit[index, index] = 1 }
        #expect(Self.distance(Self.product(square, factor.inverseOfSquare()), unit) < tolerance)
        var quotient = square
        quotient.divideFromRight(byLower: lower)
        #expect(Self.distance(Self.product(quotient, lower), square) < tolerance)
        // CᵀC, of C by its columns.
        let gram = lower.gram()
        for row in 0..<order {
            for column in 0..<order {
                let sum = (0..<order).reduce(0) { $0 + lower[$1, row] * lower[$1, column] }
                #expect(abs(gram[row, column] - sum) < 1e-13)
                #expect(gram[row, column] == gram[column, row])
            }
        }
    }

    @Test func whatIsNotPositiveDefiniteHasNoFactor() {
        for bad in [-1, 0, .nan, .infinity] {
            var matrix = SquareMatrix(order: 2)
            matrix.elements = [1, 0, 0, bad]
            #expect(matrix.choleskyFactor() == nil)
        }
    }

    @Test func shapesTrap() async {
        await #expect(processExitsWith: .failure) { _ = SquareMatrix(order: 0) }
        await #expect(processExitsWith: .failure) {
            var matrix = SquareMatrix(order: 2)
            matrix.divideFromRight(byLower: SquareMatrix(order: 3))
        }
    }
}
