import CPrivacyKernels
import Testing

@testable import LinearAlgebra

/// Products with packed columns are those of `RowwiseProduct`, in every bit.
struct PackedColumnsTests {
    @Test(arguments: [(1, 1, 1), (7, 5, 3), (14, 16, 625), (29, 33, 100), (12, 70, 40)])
    func productsAreThoseOfRows(rows: Int, columns: Int, inner: Int) {
        for level in [DPK_PORTABLE, DPK_AVX2, DPK_AVX512] {
            guard let kernels = dpk_kernels_at(level)?.pointee.products.pointee else { continue }
            var generator = SeededGenerator(seed: 3)
            // Rows that overlap: each begins two elements after the one before.
            let a = generator.floats(2 * rows + inner)
            let b = generator.floats(inner * columns)
            let step = columns + 2
            var found = [Float](repeating: 9, count: rows * step)
            var expected = [Float](repeating: 0, count: rows * columns)
            a.withUnsafeBufferPointer { a in
                let left = StridedMatrix(a.baseAddress!, stride: 2)
                found.withUnsafeMutableBufferPointer {
                    PackedColumns(b, inner: inner, columns: columns, kernels)
                        .multiplyOnThisThread(rows: rows, left, into: $0.baseAddress!, step: step)
                }
                b.withUnsafeBufferPointer { b in
                    expected.withUnsafeMutableBufferPointer {
                        RowwiseProduct.multiply(
                            0..<rows, 0..<columns, inner: inner, left, StridedMatrix(b.baseAddress!, stride: columns),
                            into: $0.baseAddress!, step: columns, kernels
                        ) { _, _ in }
                    }
                }
            }
            for row in 0..<rows {
                #expect(found[row * step..<row * step + columns] == expected[row * columns..<(row + 1) * columns])
                #expect(found[row * step + columns..<(row + 1) * step] == [9, 9])
            }
        }
    }

    @Test func otherShapesTrap() async {
        await #expect(processExitsWith: .failure) { _ = PackedColumns([1, 2, 3], inner: 2, columns: 2) }
    }
}
