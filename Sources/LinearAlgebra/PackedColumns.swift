import CPrivacyKernels
import Requirements

/// A right-hand side B of ``RowwiseProduct`` that many small products share: its columns are copied once into the order
/// in which kernels read them.
///
/// **Guarantee:** products are those of ``RowwiseProduct``, in every bit.
package struct PackedColumns: Sendable {
    /// The number of rows of B: the length of the sums.
    package let inner: Int
    /// The number of columns of B.
    package let columns: Int

    private let kernels: dpk_products
    private let panels: AlignedStorage<Float>

    /// The columns of B, `inner` × `columns` elements row by row. Traps unless there are so many.
    package init(_ b: [Float], inner: Int, columns: Int) {
        self.init(b, inner: inner, columns: columns, RowwiseProduct.active)
    }

    init(_ b: [Float], inner: Int, columns: Int, _ kernels: dpk_products) {
        require(
            b.count == inner * columns && columns >= 1,
            "\(b.count) elements are not a matrix of \(inner) × \(columns).")
        self.inner = inner
        self.columns = columns
        self.kernels = kernels
        let width = kernels.panel_width
        panels = AlignedStorage(zeros: inner * (columns + width))
        b.withUnsafeBufferPointer { b in
            for begin in stride(from: 0, to: columns, by: width) {
                kernels.pack_panel(
                    b.baseAddress! + begin, columns, 1, inner, min(width, columns - begin),
                    panels.base + begin * inner)
            }
        }
    }

    /// C = A·B on the calling thread: `rows` rows, `step` elements from each to the next.
    package func multiplyOnThisThread(
        rows: Int, _ a: StridedMatrix, into c: UnsafeMutablePointer<Float>, step: Int
    ) {
        let width = kernels.panel_width
        for begin in stride(from: 0, to: columns, by: width) {
            kernels.multiply_panel(
                a.element(0, 0), a.rowStep, a.columnStep, rows, inner, panels.base + begin * inner,
                min(width, columns - begin), 0, c + begin, step)
        }
    }
}
