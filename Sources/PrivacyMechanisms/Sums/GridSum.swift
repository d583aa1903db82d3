import CPrivacyKernels
import LinearAlgebra
import PyTrees
import Requirements

/// The exact sum of a batch on its way to noise: integers, in up to three parts that add up to it.
///
/// | part | holds | units |
/// |---|---|---|
/// | `recent` | rows that were rounded one by one, in 32 bits | the grid's |
/// | `carried` | what `recent` could not hold any longer | the grid's |
/// | `fine` | sums of outer products, in the space of the parameters | finer than the grid's, see ``FinePart`` |
///
/// **Guarantee:** every part is a sum of integers that one example and public numbers decide, so that no bit depends on
/// the order of the examples, on microbatches or on threads. No addition wraps around, for batches of up to
/// ``SumGrid/mostExamples``.
final class GridSum: @unchecked Sendable {
    // Sendable is unchecked because one owner, an aggregate that cannot be copied, uses it at a time.
    let recent: AlignedStorage<Int32>
    private(set) var carried: AlignedStorage<Int64>?
    private(set) var fine: AlignedStorage<Int64>?
    /// The leaves whose sums are in `fine`, by their first column.
    private(set) var fineParts: [FinePart] = []

    private(set) var exampleCount = 0
    /// Rows in `recent` since it was carried last: in all columns, and beyond those in single leaves.
    private var rowsEverywhere = 0
    private var furtherRows: [Range<Int>: Int] = [:]
    /// Whether all columns have been written to, and carried.
    private var hasRowsEverywhere = false
    private var hasCarriedEverywhere = false
    private var carriedLeaves: Set<Range<Int>> = []
    /// What other ranks are sent, and send.
    private var memoryForRanks: AlignedStorage<Int64>?

    init(columns: Int) {
        recent = AlignedStorage(zeros: columns)
    }

    var columns: Int { recent.count }

    /// Counts the examples of a microbatch. Traps for more than a sum can hold.
    func count(examples: Int, on grid: SumGrid) {
        exampleCount += examples
        require(
            exampleCount <= grid.mostExamples,
            "A sum on a grid of sensitivity \(grid.sensitivity) holds \(grid.mostExamples) examples, not "
                + "\(exampleCount).")
    }

    /// Whether `recent` has to be carried before another `rows` rows are added to all columns; counts them.
    func mustCarry(before rows: Int, on grid: SumGrid) -> Bool {
        hasRowsEverywhere = true
        let isFull = isFull(with: rows, beside: rowsEverywhere + max(0, furtherRows.values.max() ?? 0), on: grid)
        if isFull {
            rowsEverywhere = rows
            for leaf in furtherRows.keys { furtherRows[leaf] = 0 }
            hasCarriedEverywhere = true
        } else {
            rowsEverywhere += rows
        }
        return isFull
    }

    /// Makes room for `rows` rows in the columns of one leaf.
    func makeRoom(for rows: Int, in leaf: Range<Int>, on grid: SumGrid) {
        let further = furtherRows[leaf] ?? 0
        if isFull(with: rows, beside: rowsEverywhere + further, on: grid) {
            carriedLeaves.insert(leaf)
            let length = 1 << 14
            TaskTeam.run(tasks: TaskTeam.pieces(of: leaf.count, length: length), work: leaf.count) { task, _ in
                let piece = TaskTeam.piece(task, of: leaf.count, length: length)
                carry(leaf.lowerBound + piece.lowerBound..<leaf.lowerBound + piece.upperBound)
            }
            furtherRows[leaf] = rows - rowsEverywhere
        } else {
            furtherRows[leaf] = further + rows
        }
    }

    private func isFull(with rows: Int, beside present: Int, on grid: SumGrid) -> Bool {
        require(
            rows <= grid.examplesIn32Bits,
            "\(rows) rows at once do not fit into 32 bits at a sensitivity of \(grid.sensitivity).")
        let isFull = present + rows > grid.examplesIn32Bits
        if isFull, carried == nil { carried = AlignedStorage(zeros: columns) }
        return isFull
    }

    /// Moves `recent` in `columns` to `carried`.
    func carry(_ columns: Range<Int>) {
        guard let carried else { fail("There is nowhere to carry to: mustCarry says when there is.") }
        Kernels.active.carry(columns.count, recent.base + columns.lowerBound, carried.base + columns.lowerBound)
    }

    /// Where the fine sum of the leaf in `columns` is; `make` describes it the first time.
    func fineSum(for columns: Range<Int>, _ make: () -> FinePart) -> UnsafeMutablePointer<Int64> {
        let memory = fine ?? AlignedStorage(zeros: self.columns)
        fine = memory
        if !fineParts.contains(where: { $0.columns == columns }) {
            fineParts.append(make())
            fineParts.sort { $0.columns.lowerBound < $1.columns.lowerBound }
        }
        return memory.base + columns.lowerBound
    }

    /// Writes spacing · (noise + sum) for `columns`, and sets the sum to zero there.
    ///
    /// - Parameter scale: the diagonal of the transform; fine sums do not contain it yet.
    func finish(
        _ columns: Range<Int>, noise: UnsafePointer<Int32>, scale: UnsafePointer<Float>?, spacing: Double,
        into out: UnsafeMutablePointer<Float>
    ) {
        let noise = noise - columns.lowerBound
        visit(columns, scale: scale) { columns, parts in
            Kernels.active.finish_grid(
                noise + columns.lowerBound, columns.count, parts.recent, parts.carried, parts.fine, parts.factor,
                parts.scale, parts.weights, spacing, out + columns.lowerBound)
        }
    }

    /// Writes the sum of `columns`, integers, to the beginning of `out`, and sets it to zero there.
    func take(_ columns: Range<Int>, scale: UnsafePointer<Float>?, into out: UnsafeMutablePointer<Double>) {
        let out = out - columns.lowerBound
        visit(columns, scale: scale) { columns, parts in
            Kernels.active.take_grid(
                parts.recent, parts.carried, parts.fine, columns.count, parts.factor, parts.scale, parts.weights,
                out + columns.lowerBound)
        }
    }

    /// Where the integers of some columns are, as the kernels take them.
    private struct Parts {
        let recent: UnsafeMutablePointer<Int32>?
        let carried: UnsafeMutablePointer<Int64>?
        let fine: UnsafeMutablePointer<Int64>?
        let factor: Double
        let scale: UnsafePointer<Float>?
        let weights: UnsafePointer<Float>?
    }

    /// Calls `body` for pieces of `columns`, in order, each of which has its integers in the same parts.
    private func visit(_ columns: Range<Int>, scale: UnsafePointer<Float>?, _ body: (Range<Int>, Parts) -> Void) {
        var begin = columns.lowerBound
        for part in fineParts where part.columns.upperBound > begin && part.columns.lowerBound < columns.upperBound {
            if part.columns.lowerBound > begin {
                visit(begin..<part.columns.lowerBound, nil, scale, body)
                begin = part.columns.lowerBound
            }
            while begin < min(part.columns.upperBound, columns.upperBound) {
                let row = (begin - part.columns.lowerBound) / part.rowLength
                let rowEnd = part.columns.lowerBound + (row + 1) * part.rowLength
                let end = min(part.rowWeights == nil ? part.columns.upperBound : rowEnd, columns.upperBound)
                visit(begin..<end, part, scale, body)
                begin = end
            }
        }
        if begin < columns.upperBound { visit(begin..<columns.upperBound, nil, scale, body) }
    }

    private func visit(
        _ columns: Range<Int>, _ part: FinePart?, _ scale: UnsafePointer<Float>?, _ body: (Range<Int>, Parts) -> Void
    ) {
        let begin = columns.lowerBound
        let place = part.map { (begin - $0.columns.lowerBound).quotientAndRemainder(dividingBy: $0.rowLength) }
        let factor = part.map { $0.unit * Double($0.rowWeights?[place!.quotient] ?? 1) } ?? 0
        let hasRows = part.map { hasRowsEverywhere || furtherRows[$0.columns] != nil } ?? true
        let hasCarried =
            hasCarriedEverywhere || part.map { carriedLeaves.contains($0.columns) } ?? !carriedLeaves.isEmpty
        func call(_ weights: UnsafePointer<Float>?) {
            body(
                columns,
                Parts(
                    recent: hasRows ? recent.base + begin : nil,
                    carried: hasCarried ? carried.map { $0.base + begin } : nil,
                    fine: part == nil ? nil : fine.map { $0.base + begin }, factor: factor,
                    scale: part?.rowWeights == nil ? nil : scale.map { $0 + begin }, weights: weights))
        }
        if let weights = part?.columnWeights {
            weights.withUnsafeBufferPointer { call($0.baseAddress! + place!.remainder) }
        } else {
            call(nil)
        }
    }

    // MARK: Ranks

    /// The columns to which rows were added.
    var columnsWithRows: [Range<Int>] {
        hasRowsEverywhere ? [0..<columns] : furtherRows.keys.sorted { $0.lowerBound < $1.lowerBound }
    }

    /// Memory for `count` numbers, of any value.
    func memoryForRanks(count: Int) -> AlignedStorage<Int64> {
        if let memory = memoryForRanks, memory.count >= count { return memory }
        let memory = AlignedStorage<Int64>(undefined: count)
        memoryForRanks = memory
        return memory
    }

    /// Moves what rows have added to `columns` to `out`.
    func takeRows(_ columns: Range<Int>, to out: UnsafeMutablePointer<Int64>) {
        if let carried {
            carry(columns)
            out.update(from: carried.base + columns.lowerBound, count: columns.count)
            (carried.base + columns.lowerBound).update(repeating: 0, count: columns.count)
        } else {
            out.update(repeating: 0, count: columns.count)
            Kernels.active.carry(columns.count, recent.base + columns.lowerBound, out)
        }
    }

    /// Moves the fine sums of `columns` to `out`.
    func takeFine(_ columns: Range<Int>, to out: UnsafeMutablePointer<Int64>) {
        guard let fine else { return out.update(repeating: 0, count: columns.count) }
        out.update(from: fine.base + columns.lowerBound, count: columns.count)
        (fine.base + columns.lowerBound).update(repeating: 0, count: columns.count)
    }

    /// There are no rows any longer: all of them have been taken.
    func forgetRows() {
        rowsEverywhere = 0
        furtherRows = [:]
        hasRowsEverywhere = false
        hasCarriedEverywhere = false
        carriedLeaves = []
    }

    /// Makes `numbers` what rows have added to `columns`, of which they have been taken.
    func putRows(_ columns: Range<Int>, from numbers: UnsafePointer<Int64>) {
        let memory = carried ?? AlignedStorage(zeros: self.columns)
        carried = memory
        (memory.base + columns.lowerBound).update(from: numbers, count: columns.count)
        hasCarriedEverywhere = true
    }

    /// Makes the sum, all of whose columns have been finished, an empty one.
    func reset() {
        fineParts = []
        exampleCount = 0
        forgetRows()
    }
}

/// How to read the fine sum of a leaf of shape [rows, `rowLength`].
///
/// One unit of element (p, q) is worth `unit`·s_pq·w_p·v_q units of the noise's grid, s the scale of the transform, w
/// the row weights and v the column weights, which are powers of two; without a scale, it is worth `unit`.
struct FinePart: Codable, Sendable {
    let columns: Range<Int>
    let rowLength: Int
    /// A power of two.
    let unit: Double
    let rowWeights: [Float]?
    let columnWeights: [Float]?
}
