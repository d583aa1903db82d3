import CPrivacyKernels

/// Matrix products of which every row is a function of one row of A, and of B, alone: what an example passes through on
/// its way to a private sum.
///
/// BLAS does not promise that. OpenBLAS takes other kernels where the number of rows changes, and on some processors
/// (Haswell, Zen) a row's last bits depend on its place even in a block of one fixed size. Where something jumps, as a
/// ReLU, a maximum or a comparison with a clip norm does, the last bit is worth a whole gradient, and one example's
/// gradient then tells of the others.
///
/// **Guarantee:** element (i, j) is the Float32 chain s ← s + a_ik·b_kj over k = 0, 1, … from s = 0. It is the same in
/// every bit
/// - for any number of rows and any other rows,
/// - at any place among them and anywhere in memory,
/// - for any number of threads and any cut of the product into calls.
///
/// A step of the chain is one rounding on processors with fused multiplication and two on others, so that two kinds of
/// processor may differ.
package enum RowwiseProduct {
    /// Rows, columns and inner elements that are multiplied together: a block of A and one of B stay in a core's cache.
    /// The number of rows is a multiple of every kernel's tile.
    private static let (rowBlock, columnBlock, innerBlock) = (120, 256, 512)

    /// Chosen at first use; `DPK_LEVEL` in the environment can ask for a lower instruction set.
    static let active = dpk_active_kernels().pointee.products.pointee

    /// C = A·B on all threads: C has `rows` × `columns` elements, row-major and without gaps, and `inner` is the length
    /// of the sums.
    ///
    /// Each thread calls `finish` with rows and columns of C that it has just computed and that are still in its cache.
    package static func multiply(
        rows: Int, columns: Int, inner: Int, _ a: StridedMatrix, _ b: StridedMatrix,
        into c: UnsafeMutablePointer<Float>, finish: (Range<Int>, Range<Int>) -> Void = { _, _ in }
    ) {
        let width = active.panel_width
        let panels = (columns + width - 1) / width
        Threads.withTeam(of: BLAS.teamSize(operations: 2 * rows * columns * inner)) { member in
            // Where every thread has columns of its own, each column of B is copied to a panel once.
            let cutsColumns = panels >= 2 * member.count
            let ownPanels = cutsColumns ? member.share(of: 0..<panels) : 0..<panels
            let ownRows = cutsColumns ? 0..<rows : member.share(of: 0..<rows)
            multiply(
                ownRows, min(columns, ownPanels.lowerBound * width)..<min(columns, ownPanels.upperBound * width),
                inner: inner, a, b, into: c, step: columns, active, finish: finish)
        }
    }

    /// C = A·B on the calling thread. For threads of a team, which share many small products among them.
    package static func multiplyOnThisThread(
        rows: Int, columns: Int, inner: Int, _ a: StridedMatrix, _ b: StridedMatrix,
        into c: UnsafeMutablePointer<Float>
    ) {
        multiply(0..<rows, 0..<columns, inner: inner, a, b, into: c, step: columns, active) { _, _ in }
    }

    /// The part of C in `rows` and `columns`, by the kernels given.
    static func multiply(
        _ rows: Range<Int>, _ columns: Range<Int>, inner: Int, _ a: StridedMatrix, _ b: StridedMatrix,
        into c: UnsafeMutablePointer<Float>, step: Int, _ kernels: dpk_products,
        finish: (Range<Int>, Range<Int>) -> Void
    ) {
        if rows.isEmpty || columns.isEmpty { return }
        let width = kernels.panel_width
        let longest = min(inner, innerBlock)
        let capacity = longest * (min(columns.count, columnBlock) + width)
        withUnsafeTemporaryAllocation(byteCount: 4 * capacity, alignment: 64) { memory in
            let panels = memory.bindMemory(to: Float.self).baseAddress!
            for begin in stride(from: columns.lowerBound, to: columns.upperBound, by: columnBlock) {
                let block = begin..<min(begin + columnBlock, columns.upperBound)
                // Sums of no elements are zeros, and have to be written, too.
                for first in stride(from: 0, to: max(1, inner), by: innerBlock) {
                    let sums = first..<min(first + innerBlock, inner)
                    forEachPanel(of: block, width) { offset, own in
                        kernels.pack_panel(
                            b.element(sums.lowerBound, own.lowerBound), b.rowStep, b.columnStep, sums.count, own.count,
                            panels + offset * sums.count)
                    }
                    for top in stride(from: rows.lowerBound, to: rows.upperBound, by: rowBlock) {
                        let height = min(rowBlock, rows.upperBound - top)
                        forEachPanel(of: block, width) { offset, own in
                            kernels.multiply_panel(
                                a.element(top, sums.lowerBound), a.rowStep, a.columnStep, height, sums.count,
                                panels + offset * sums.count, own.count, first > 0 ? 1 : 0,
                                c + top * step + own.lowerBound, step)
                        }
                        if sums.upperBound == inner { finish(top..<top + height, block) }
                    }
                }
            }
        }
    }

    private static func forEachPanel(
        of columns: Range<Int>, _ width: Int, _ body: (_ offset: Int, _ columns: Range<Int>) -> Void
    ) {
        for begin in stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
            body(begin - columns.lowerBound, begin..<min(begin + width, columns.upperBound))
        }
    }
}

/// A matrix as it lies in memory: element (i, k) is `rowStep`·i + `columnStep`·k elements after the first.
package struct StridedMatrix {
    let base: UnsafePointer<Float>
    let rowStep: Int
    let columnStep: Int

    private init(base: UnsafePointer<Float>, rowStep: Int, columnStep: Int) {
        (self.base, self.rowStep, self.columnStep) = (base, rowStep, columnStep)
    }

    /// A row-major matrix whose rows begin `stride` elements after each other.
    package init(_ base: UnsafePointer<Float>, stride: Int) {
        self.init(base: base, rowStep: stride, columnStep: 1)
    }

    /// The same elements, with rows and columns exchanged.
    package var transposed: StridedMatrix {
        StridedMatrix(base: base, rowStep: columnStep, columnStep: rowStep)
    }

    /// Where an element lies.
    package func element(_ row: Int, _ column: Int) -> UnsafePointer<Float> {
        base + row * rowStep + column * columnStep
    }
}
