import CPrivacyKernels
import LinearAlgebra
import PyTrees

/// One trip of a batch of dense rows through memory: norms, factors and sum, block of rows by block of rows.
///
/// The limit is one read of the matrix. Both questions need every element, and the factor of a row needs all of the
/// row, so each element is touched twice: once when it comes from memory, once more while its block is still in cache.
/// Threads split the columns, not the rows, so that there is a single sum and each core's cache holds only its part of
/// a block. While a thread adds up block k − 1 from cache it already measures block k, segment by segment, so that
/// waiting for memory and work in cache overlap.
struct DenseRowsPass {
    let bounds: ClippingBounds
    private let segments: [ColumnSegment]
    private let rows: [UnsafePointer<Float>]
    /// The place of each row in the batch.
    private let examples: [Int]
    private let padding: [Bool]?
    private let blockRows: Int

    /// - Parameter measuresPadding: whether padding examples are read, to report their norms.
    init(rows: DenseRows, padding: [Bool]?, bounds: ClippingBounds, measuresPadding: Bool) {
        self.bounds = bounds
        self.padding = padding
        segments = ColumnSegment.segments(of: bounds.groups)
        examples = (0..<rows.exampleCount).filter { measuresPadding || !(padding?[$0] ?? false) }
        self.rows = examples.map(rows.row)
        let blockBytes = 4 << 20
        blockRows = max(4, min(64, blockBytes / max(1, 4 * bounds.groups.columns) / 4 * 4))
    }

    private var teamSize: Int {
        // Below this much work a second thread costs more to wake than it saves.
        let elementsPerThread = 1 << 18
        return max(1, min(rows.count * bounds.groups.columns / elementsPerThread, segments.count))
    }

    /// Adds the clipped rows to `sum`, and writes squared norms to `norms` where it is not nil.
    func run(scale: ParameterVector?, sum: UnsafeMutablePointer<Double>, norms: UnsafeMutablePointer<Double>?) {
        if rows.isEmpty { return }
        scale.withUnsafeValues(matching: bounds.layout) { scale in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * max(1, segments.count) * blockRows) {
                nonisolated(unsafe) let shared = SharedState(
                    scale: scale, sum: sum, norms: norms, partialNorms: $0.baseAddress!)
                Threads.withTeam(of: teamSize) { member in
                    var worker = Worker(pass: self, shared: shared, member: member)
                    worker.run()
                }
            }
        }
    }

    private struct SharedState {
        let scale: UnsafePointer<Float>?
        let sum: UnsafeMutablePointer<Double>
        let norms: UnsafeMutablePointer<Double>?
        /// Two blocks' squared norms, segment by segment: one is read while the next is written.
        let partialNorms: UnsafeMutablePointer<Double>
    }

    /// One thread's part: its columns, and the factors of the block it is adding up.
    private struct Worker {
        let pass: DenseRowsPass
        let shared: SharedState
        let member: TeamMember
        let kernels = Kernels.active

        /// Rows and factors of the block to add, group by group, those with factor zero left out.
        var weightedRows: [[UnsafePointer<Float>]]
        var weights: [[Double]]
        var squares: [Double]

        init(pass: DenseRowsPass, shared: SharedState, member: TeamMember) {
            self.pass = pass
            self.shared = shared
            self.member = member
            let groups = pass.bounds.groups.count
            weightedRows = Array(repeating: [], count: groups)
            weights = Array(repeating: [], count: groups)
            squares = Array(repeating: 0, count: groups)
        }

        mutating func run() {
            let blocks = (pass.rows.count + pass.blockRows - 1) / pass.blockRows
            let mine = member.share(of: 0..<pass.segments.count)
            for block in 0...blocks {
                let begin = block * pass.blockRows
                let measured = begin..<max(begin, min(begin + pass.blockRows, pass.rows.count))
                let partial = shared.partialNorms + (block & 1) * pass.segments.count * pass.blockRows
                for index in mine {
                    if !measured.isEmpty { measure(measured, segment: index, into: partial) }
                    if block > 0 { addWeightedRows(in: pass.segments[index]) }
                }
                if measured.isEmpty { break }
                member.barrierWait()
                weigh(measured, partial)
            }
        }

        private func measure(_ block: Range<Int>, segment index: Int, into partial: UnsafeMutablePointer<Double>) {
            let columns = pass.segments[index].columns
            pass.rows.withUnsafeBufferPointer { rows in
                kernels.squared_norms(
                    rows.baseAddress! + block.lowerBound, block.count, columns.lowerBound, columns.count,
                    shared.scale, partial + index * pass.blockRows)
            }
        }

        private func addWeightedRows(in segment: ColumnSegment) {
            kernels.add_weighted_rows(
                weightedRows[segment.group], weights[segment.group], weights[segment.group].count,
                segment.columns.lowerBound, segment.columns.count, shared.sum)
        }

        /// Turns a block's squared norms into factors; every member does so for itself, in the same order.
        private mutating func weigh(_ block: Range<Int>, _ partial: UnsafeMutablePointer<Double>) {
            for group in weights.indices {
                weightedRows[group].removeAll(keepingCapacity: true)
                weights[group].removeAll(keepingCapacity: true)
            }
            for row in block {
                for group in squares.indices { squares[group] = 0 }
                for (index, segment) in pass.segments.enumerated() {
                    squares[segment.group] += partial[index * pass.blockRows + row - block.lowerBound]
                }
                let example = pass.examples[row]
                if let norms = shared.norms, member.index == 0 {
                    for (group, square) in squares.enumerated() { norms[example * squares.count + group] = square }
                }
                squares.withUnsafeMutableBufferPointer {
                    pass.bounds.replaceSquaredNorms($0, isPadding: pass.padding?[example] ?? false)
                }
                for (group, weight) in squares.enumerated() where weight != 0 {
                    weightedRows[group].append(pass.rows[row])
                    weights[group].append(weight)
                }
            }
        }
    }
}
