import Foundation
import LinearAlgebra
import Testing

/// Every row of the product is a function of one row of A, in every bit.
struct RowwiseProductTests {
    private typealias Multiply = (
        _ a: ArraySlice<Float>, _ b: [Float], _ columns: Int, _ inner: Int, _ bIsTransposed: Bool, _ offset: Int
    ) -> [Float]

    /// A·B, with A somewhere in memory.
    private static func product(
        _ a: ArraySlice<Float>, _ b: [Float], _ columns: Int, _ inner: Int, _ bIsTransposed: Bool, _ offset: Int
    ) -> [Float] {
        let rows = a.count / max(1, inner)
        var shifted = [Float](repeating: .nan, count: offset)
        shifted += a
        var c = [Float](repeating: .nan, count: rows * columns)
        shifted.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                let right = StridedMatrix(b.baseAddress!, stride: bIsTransposed ? inner : columns)
                c.withUnsafeMutableBufferPointer { c in
                    RowwiseProduct.multiply(
                        rows: rows, columns: columns, inner: inner,
                        StridedMatrix(a.baseAddress! + offset, stride: inner),
                        bIsTransposed ? right.transposed : right, into: c.baseAddress!)
                }
            }
        }
        return c
    }

    /// Whether row 0's product is the same bits for every number of rows, at every place, anywhere in memory.
    private static func rowsAreIndependent(
        columns: Int, inner: Int, bIsTransposed: Bool, rowCounts: [Int], seed: UInt64,
        multiply: Multiply = RowwiseProductTests.product
    ) -> Bool {
        var generator = SeededGenerator(seed: seed)
        let b = generator.floats(inner * columns)
        let row = generator.floats(inner)
        let alone = multiply(row[...], b, columns, inner, bIsTransposed, 0)
        for count in rowCounts {
            let others = generator.floats(count * inner)
            for place in Set([0, 1, count / 3, count / 2, count - 2, count - 1]).filter({ (0..<count).contains($0) }) {
                var a = others
                a.replaceSubrange(place * inner..<(place + 1) * inner, with: row)
                let c = multiply(a[...], b, columns, inner, bIsTransposed, place % 5)
                let found = c[place * columns..<(place + 1) * columns]
                guard found.map(\.bitPattern) == alone.map(\.bitPattern) else { return false }
            }
        }
        return true
    }

    @Test(arguments: [1, 2, 5])
    func rowsDoNotDependOnEachOther(threads: Int) async {
        await #expect(processExitsWith: .success) { [threads] in
            Threads.limit = threads
            Threads.sharesSmallWork = true
            var team = 0
            Threads.withTeam(of: threads) { member in if member.index == 0 { team = member.count } }
            guard team == threads else { exit(2) }
            for (columns, inner) in [(1, 1), (10, 700), (700, 10), (300, 1200), (64, 64), (33, 513)] {
                for bIsTransposed in [false, true] {
                    guard
                        Self.rowsAreIndependent(
                            columns: columns, inner: inner, bIsTransposed: bIsTransposed,
                            rowCounts: [1, 2, 3, 7, 12, 25, 119, 121, 260], seed: UInt64(columns))
                    else { exit(3) }
                }
            }
        }
    }

    @Test func theNumberOfThreadsDoesNotMatter() async {
        await #expect(processExitsWith: .success) {
            var generator = SeededGenerator(seed: 2)
            let (a, b) = (generator.floats(150 * 90), generator.floats(90 * 400))
            var results: [[Float]] = []
            for threads in [1, 2, 5] {
                Threads.limit = threads
                results.append(Self.product(a[...], b, 400, 90, false, 0))
            }
            guard results[0] == results[1], results[1] == results[2] else { exit(3) }
        }
    }

    /// Within the rounding of both, as far as that goes: 700 products of at most 1, each within 2⁻²⁴ of their sum.
    @Test func itIsTheProduct() {
        var generator = SeededGenerator(seed: 3)
        let (a, b) = (generator.matrix(50, 700), generator.matrix(700, 60))
        var expected = Matrix(rows: 50, columns: 60)
        BLAS.gemm(a, .none, b, .none, into: &expected)
        let found = Self.product(a.elements[...], b.elements, 60, 700, false, 0)
        let tolerance: Float = 2 * 700 * 700 * 0x1p-24
        #expect(zip(found, expected.elements).allSatisfy { abs($0 - $1) <= tolerance })
        #expect(found != expected.elements.reversed())
    }

    @Test func everyElementIsFinishedOnce() {
        let (rows, columns) = (250, 600)
        let a = [Float](repeating: 1, count: rows)
        let b = [Float](repeating: 2, count: columns)
        var c = [Float](repeating: .nan, count: rows * columns)
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                c.withUnsafeMutableBufferPointer { c in
                    let c = c.baseAddress!
                    nonisolated(unsafe) let target = c
                    RowwiseProduct.multiply(
                        rows: rows, columns: columns, inner: 1, StridedMatrix(a.baseAddress!, stride: 1),
                        StridedMatrix(b.baseAddress!, stride: columns), into: c
                    ) { rows, part in
                        for row in rows { for column in part { target[row * columns + column] += 1 } }
                    }
                }
            }
        }
        #expect(c.allSatisfy { $0 == 3 })
    }

    /// The controls: products whose sums begin at the other end where the number of rows is odd, or in every fourth
    /// row.
    @Test func productsThatLookAtOtherRowsAreFound() {
        func broken(_ isReversed: @escaping (_ row: Int, _ rows: Int) -> Bool) -> Multiply {
            { a, b, columns, inner, _, _ in
                let (a, rows) = (Array(a), a.count / inner)
                return (0..<rows * columns).map { element in
                    let (row, column) = (element / columns, element % columns)
                    return (0..<inner).reduce(Float(0)) { sum, place in
                        let k = isReversed(row, rows) ? inner - 1 - place : place
                        return sum + a[row * inner + k] * b[k * columns + column]
                    }
                }
            }
        }
        func isIndependent(_ multiply: @escaping Multiply) -> Bool {
            Self.rowsAreIndependent(
                columns: 9, inner: 200, bIsTransposed: false, rowCounts: [1, 2, 5, 12], seed: 4, multiply: multiply)
        }
        #expect(isIndependent(broken { _, _ in false }))
        #expect(!isIndependent(broken { _, rows in rows % 2 == 0 }))
        #expect(!isIndependent(broken { row, _ in row % 4 == 3 }))
    }
}
