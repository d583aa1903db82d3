import CPrivacyKernels
import LinearAlgebra
import PyTrees

#if os(Linux)
    import Glibc
#endif

/// One trip of a batch of dense rows through memory: norms, factors and sum, block of rows by block of rows.
///
/// The limit is one read of the matrix. Both questions need every element, and the factor of a row needs all of the
/// row, so each element is touched twice: once when it comes from memory, once more while its block is, as far as it
/// fits, still in cache. Threads split the columns, not the rows, so that there is a single sum and each core's cache
/// holds only its part of a block. Columns are measured from left to right and added up from right to left: what was
/// touched last is what the cache still has. A thread that is done with its own segments of columns takes over those
/// that others have not begun, so that one whose processor is busy elsewhere does not hold them up.
struct DenseRowsPass {
    let bounds: ClippingBounds
    private let segments: [ColumnSegment]
    private let rows: [UnsafePointer<Float>]
    /// The place of each row in the batch.
    private let examples: [Int]
    private let padding: [Bool]?
    private let blockRows: Int
    private let sum: PendingSum

    /// - Parameter measuresPadding: whether padding examples are read, to report their norms.
    init(rows: DenseRows, padding: [Bool]?, bounds: ClippingBounds, sum: PendingSum, measuresPadding: Bool) {
        self.sum = sum
        self.bounds = bounds
        self.padding = padding
        segments = ColumnSegment.segments(of: bounds.groups)
        examples = (0..<rows.exampleCount).filter { measuresPadding || !(padding?[$0] ?? false) }
        self.rows = examples.map(rows.row)
        blockRows = Self.blockRows(columns: bounds.groups.columns, sum: sum)
    }

    /// How many rows to measure before they are added up.
    ///
    /// Few, so that they are still in cache; at least four, because the sum has to come and go once for each block.
    /// Where four rows, the sum and the scale outgrow the cache, small blocks win nothing: most of the matrix is then
    /// read twice, and large blocks spare the sum's trips. Half of the cache counts as ours, since it is often shared.
    private static func blockRows(columns: Int, sum: PendingSum) -> Int {
        let rowBytes = 4 * columns
        switch sum {
        case .floatingPoint: return blockRows(rowBytes: rowBytes, sumAndScaleBytes: 12 * columns)
        case .exact(_, let grid):
            // A block has to fit into 32 bits.
            let rows = blockRows(rowBytes: rowBytes, sumAndScaleBytes: 8 * columns)
            return min(rows, max(1, grid.examplesIn32Bits / 4 * 4))
        }
    }

    private static func blockRows(rowBytes: Int, sumAndScaleBytes: Int) -> Int {
        if 4 * rowBytes + sumAndScaleBytes > ProcessorCache.lastLevelBytes / 2 { return 64 }
        return max(4, min(64, (4 << 20) / max(1, rowBytes) / 4 * 4))
    }

    private var teamSize: Int {
        max(1, min(rows.count * bounds.groups.columns / Threads.workPerThread(1 << 20), segments.count))
    }

    /// Adds the clipped rows to the sum, and writes squared norms to `norms` where it is not nil.
    func run(scale: ParameterVector?, norms: UnsafeMutablePointer<Double>?) {
        if rows.isEmpty || segments.isEmpty { return }
        scale.withUnsafeValues(matching: bounds.layout) { scale in
            let blocks = (rows.count + blockRows - 1) / blockRows
            var partialNorms = [Double](repeating: 0, count: 2 * segments.count * blockRows)
            let claims = TaskClaims(lots: 2 * blocks * teamSize)
            partialNorms.withUnsafeMutableBufferPointer { partialNorms in
                let shared = SharedState(
                    scale: scale, norms: norms, partialNorms: partialNorms, claims: claims,
                    carriesBefore: carriesBeforeBlocks())
                Threads.withTeam(of: teamSize) { member in
                    var worker = Worker(pass: self, shared: shared, member: member)
                    worker.run()
                }
            }
        }
    }

    /// For each block, whether the exact sum has to be carried before it is added.
    private func carriesBeforeBlocks() -> [Bool] {
        stride(from: 0, to: rows.count, by: blockRows).map { begin in
            guard case .exact(let sum, let grid) = sum else { return false }
            return sum.mustCarry(before: min(blockRows, rows.count - begin), on: grid)
        }
    }

    private struct SharedState {
        let scale: UnsafePointer<Float>?
        let norms: UnsafeMutablePointer<Double>?
        /// Two blocks' squared norms, segment by segment: a member may still read one when another writes the next.
        let partialNorms: UnsafeMutableBufferPointer<Double>
        /// The segments of each member's share, for each block to be measured and to be added.
        let claims: TaskClaims
        let carriesBefore: [Bool]
    }

    /// One thread's part, and the factors of the block it is adding up.
    private struct Worker {
        let pass: DenseRowsPass
        let shared: SharedState
        let member: TeamMember
        let kernels = Kernels.active

        /// What is to be added of the block, group by group.
        var parts: [WeightedRows]
        var squares: [Double]
        var factors: [Double]

        init(pass: DenseRowsPass, shared: SharedState, member: TeamMember) {
            self.pass = pass
            self.shared = shared
            self.member = member
            let groups = pass.bounds.groups.count
            parts = Array(repeating: WeightedRows(), count: groups)
            squares = Array(repeating: 0, count: groups)
            factors = squares
        }

        mutating func run() {
            let count = pass.segments.count
            for (block, begin) in stride(from: 0, to: pass.rows.count, by: pass.blockRows).enumerated() {
                let rows = begin..<min(begin + pass.blockRows, pass.rows.count)
                let partial = shared.partialNorms.baseAddress! + (block & 1) * count * pass.blockRows
                forEachClaimed(in: 2 * block) { share, index in
                    measure(rows, segment: share.lowerBound + index, into: partial)
                }
                member.barrierWait()
                weigh(rows, partial)
                forEachClaimed(in: 2 * block + 1) { share, index in
                    add(in: pass.segments[share.upperBound - 1 - index], carriesBefore: shared.carriesBefore[block])
                }
            }
        }

        /// Calls `body` with every segment that no other member has taken: a member's share, and a place in it.
        private func forEachClaimed(in phase: Int, _ body: (_ share: Range<Int>, _ index: Int) -> Void) {
            for turn in 0..<member.count {
                let owner = (member.index + turn) % member.count
                let share = member.share(of: 0..<pass.segments.count, for: owner)
                let lot = phase * member.count + owner
                while let next = shared.claims.next(of: share.count, lot: lot) { body(share, next) }
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

        private func add(in segment: ColumnSegment, carriesBefore: Bool) {
            let (part, columns) = (parts[segment.group], segment.columns)
            switch pass.sum {
            case .floatingPoint(let sum):
                kernels.add_weighted_rows(
                    part.rows, part.factors, part.rows.count, columns.lowerBound, columns.count, sum.base)
            case .exact(let sum, _):
                if carriesBefore { sum.carry(columns) }
                part.gridRows.add(columns, under: shared.scale, to: sum.recent.base)
            }
        }

        /// Turns a block's squared norms into factors; every member does so for itself, in the same order.
        private mutating func weigh(_ block: Range<Int>, _ partial: UnsafeMutablePointer<Double>) {
            for group in parts.indices { parts[group].removeAll() }
            let bounds = pass.bounds
            for row in block {
                for group in squares.indices { squares[group] = 0 }
                for (index, segment) in pass.segments.enumerated() {
                    squares[segment.group] += partial[index * pass.blockRows + row - block.lowerBound]
                }
                let example = pass.examples[row]
                if let norms = shared.norms, member.index == 0 {
                    for (group, square) in squares.enumerated() { norms[example * squares.count + group] = square }
                }
                let isPadding = pass.padding?[example] ?? false
                for group in squares.indices { factors[group] = squares[group] }
                factors.withUnsafeMutableBufferPointer { bounds.replaceSquaredNorms($0, isPadding: isPadding) }
                for (group, factor) in factors.enumerated() where factor != 0 {
                    append(pass.rows[row], factor, norm: squares[group].squareRoot(), to: group)
                }
            }
        }

        /// Notes a row that contributes to a group. A row of zeros contributes nothing.
        private mutating func append(_ row: UnsafePointer<Float>, _ factor: Double, norm: Double, to group: Int) {
            switch pass.sum {
            case .floatingPoint:
                parts[group].rows.append(row)
                parts[group].factors.append(factor)
            case .exact(_, let grid):
                if norm == 0 { return }
                let rounding = GridRounding.ofExample(columns: pass.bounds.groups.ranges[group].count)
                let factor = grid.factor(ruleFactor: factor, norm: norm, rounding: rounding, group: group)
                if factor == 0 { return }
                parts[group].gridRows.append(
                    row, factor: factor, isNarrow: fitsFloat32(factor: factor, norm: norm))
            }
        }
    }

    /// Rows that contribute to a group of columns: `rows` and `factors` to a floating-point sum, or `gridRows`.
    private struct WeightedRows {
        var rows: [UnsafePointer<Float>] = []
        var factors: [Double] = []
        var gridRows = GridRows()

        mutating func removeAll() {
            rows.removeAll(keepingCapacity: true)
            factors.removeAll(keepingCapacity: true)
            gridRows.removeAll()
        }
    }
}

/// What the processor says of its caches.
private enum ProcessorCache {
    /// The size of the last-level cache in bytes; 16 MiB where the system does not say.
    static let lastLevelBytes: Int = {
        #if os(Linux)
            let reported = sysconf(Int32(_SC_LEVEL3_CACHE_SIZE))
            if reported > 0 { return reported }
        #endif
        return 16 << 20
    }()
}
