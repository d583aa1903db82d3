import LinearAlgebra

/// Applies the pending operations to all blocks, on several threads.
///
/// An element's result depends on that element only: it is the same for any block size and any number of threads.
struct BlockRun {
    /// Elements per block: the updates, and what a link reads and writes beside them, fit in the first-level cache.
    static let blockSize = 2048

    /// Below this many elements a second thread costs more to wake than it saves.
    private static let elementsPerThread = 1 << 15

    /// What an empty vector's pointer points to; never read.
    nonisolated(unsafe) static let nothing = UnsafeMutablePointer<Float>.allocate(capacity: 1)

    private let operations: [UpdatePass.Pending]
    private let updates: UnsafePointer<Float>
    private let mutableUpdates: UnsafeMutablePointer<Float>?
    private let parameters: UnsafePointer<Float>
    private let mutableParameters: UnsafeMutablePointer<Float>?
    private let columns: Range<Int>

    /// - Parameter columns: what is changed; states that see all leaves are those of these columns.
    init(
        operations: [UpdatePass.Pending], updates: UnsafeMutableBufferPointer<Float>,
        parameters: UnsafeBufferPointer<Float>, columns: Range<Int>
    ) {
        self.operations = operations
        self.columns = columns
        mutableUpdates = updates.baseAddress
        self.updates = UnsafePointer(updates.baseAddress ?? Self.nothing)
        self.parameters = parameters.baseAddress ?? UnsafePointer(Self.nothing)
        mutableParameters = nil
    }

    init(
        operations: [UpdatePass.Pending], updates: UnsafeBufferPointer<Float>,
        parameters: UnsafeMutableBufferPointer<Float>, columns: Range<Int>
    ) {
        self.operations = operations
        self.columns = columns
        self.updates = updates.baseAddress ?? UnsafePointer(Self.nothing)
        mutableUpdates = nil
        mutableParameters = parameters.baseAddress
        self.parameters = UnsafePointer(parameters.baseAddress ?? Self.nothing)
    }

    /// Applies the operations to the updates where they lie.
    func runInPlace() {
        guard let mutableUpdates else { return }
        forEachShare { share in
            forEachBlock(of: share) { begin, count in
                apply(operations[...], to: mutableUpdates + begin, at: begin, count: count)
            }
        }
    }

    /// Applies the operations to copies of the updates in cache, and adds those to the parameters.
    func runIntoParameters() {
        guard let mutableParameters else { return }
        // A last scaling is the factor of the addition: the same two roundings, and one trip over the block less.
        var (operations, factor) = (operations[...], Float(1))
        if let last = operations.last, last.domain.isWhole, let scale = last.operation as? ScaleOperation {
            factor = scale.factor
            operations.removeLast()
        }
        forEachShare { [operations, factor] share in
            withUnsafeTemporaryAllocation(byteCount: 4 * Self.blockSize, alignment: 64) { scratch in
                let block = scratch.assumingMemoryBound(to: Float.self).baseAddress!
                forEachBlock(of: share) { begin, count in
                    block.update(from: updates + begin, count: count)
                    apply(operations, to: block, at: begin, count: count)
                    Kernels.active.add_scaled(factor, block, count, mutableParameters + begin)
                }
            }
        }
    }

    private func forEachShare(_ body: (Range<Int>) -> Void) {
        let blocks = (columns.count + Self.blockSize - 1) / Self.blockSize
        Threads.withTeam(of: max(1, columns.count / Self.elementsPerThread)) { member in
            body(member.share(of: 0..<blocks))
        }
    }

    private func forEachBlock(of share: Range<Int>, _ body: (_ begin: Int, _ count: Int) -> Void) {
        for block in share {
            let begin = columns.lowerBound + block * Self.blockSize
            body(begin, min(Self.blockSize, columns.upperBound - begin))
        }
    }

    private func apply(
        _ operations: ArraySlice<UpdatePass.Pending>, to block: UnsafeMutablePointer<Float>, at begin: Int, count: Int
    ) {
        for pending in operations {
            // Where the flat vector of what the operation sees begins.
            let first = pending.domain.isWhole ? self.columns.lowerBound : 0
            pending.domain.forEachSegment(in: begin..<begin + count) { columns, offset in
                pending.operation.apply(
                    to: UpdateBlock(
                        updates: block + (columns.lowerBound - begin),
                        parameters: parameters + columns.lowerBound,
                        offset: offset - first,
                        count: columns.count))
            }
        }
    }
}
