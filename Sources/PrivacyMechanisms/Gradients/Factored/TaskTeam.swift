import LinearAlgebra

/// Independent pieces of work, handed out one by one to the threads of a team.
enum TaskTeam {
    /// Runs `body` for every number below `tasks`, each with its thread's own scratch of `scratchBytes`.
    ///
    /// The pieces must not depend on the number of threads; then neither does the result.
    ///
    /// - Parameter work: the size of all pieces together, in elements that pass through a core.
    static func run(
        tasks: Int, work: Int, scratchBytes: Int = 0, _ body: (_ task: Int, _ scratch: UnsafeMutableRawPointer) -> Void
    ) {
        if tasks == 0 { return }
        let claims = TaskClaims()
        Threads.withTeam(of: max(1, min(tasks, work / Threads.workPerThread(1 << 18)))) { _ in
            let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(64, scratchBytes), alignment: 64)
            defer { scratch.deallocate() }
            while let task = claims.next(of: tasks) { body(task, scratch) }
        }
    }

    /// Cuts a range into pieces of `length`, of which the last may be shorter.
    static func piece(_ index: Int, of count: Int, length: Int) -> Range<Int> {
        index * length..<min((index + 1) * length, count)
    }

    /// How many pieces of `length` there are.
    static func pieces(of count: Int, length: Int) -> Int { (count + length - 1) / length }
}

/// Memory for Float32 numbers whose contents are at first undefined.
struct FloatScratch: ~Copyable {
    let base: UnsafeMutablePointer<Float>

    init(count: Int) {
        base = UnsafeMutableRawPointer.allocate(byteCount: max(64, 4 * count), alignment: 64)
            .bindMemory(to: Float.self, capacity: count)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }
}

extension Matrix {
    /// Where row `row` begins. Valid as long as the matrix is: its storage never moves while it is held.
    func unsafeRow(_ row: Int) -> UnsafePointer<Float> { withUnsafeElements { $0.baseAddress! + row * columns } }

    /// The squared norms of the rows in `range`, in Float64.
    func squaredRowNorms(_ range: Range<Int>) -> [Double] {
        var norms = [Double](repeating: 0, count: range.count)
        let kernels = Kernels.active
        norms.withUnsafeMutableBufferPointer { norms in
            let length = 32
            TaskTeam.run(
                tasks: TaskTeam.pieces(of: range.count, length: length), work: range.count * columns
            ) { task, _ in
                let piece = TaskTeam.piece(task, of: range.count, length: length)
                kernels.squared_norms(
                    piece.map { unsafeRow(range.lowerBound + $0) }, piece.count, 0, columns, nil,
                    norms.baseAddress! + piece.lowerBound)
            }
        }
        return norms
    }
}
