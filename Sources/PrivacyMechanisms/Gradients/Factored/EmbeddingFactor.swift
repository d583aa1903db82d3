import LinearAlgebra

/// The table of an embedding: an example's output gradients, added up in the rows that its indices name.
///
/// Only rows in use are touched. Where an example uses a row more than once, its gradient there *is* the sum in
/// Float64, rounded once to Float32: both questions use this same row. Under weights of rank one, the row is multiplied
/// by its part of the scale, and rounded once more.
struct EmbeddingFactor: GradientFactor {
    let columns: Range<Int>
    /// (examples · positions) × width.
    private let outputGradients: Matrix
    /// The positions that each example has in each row of the table.
    private let runs: [Run]
    /// Each example's runs.
    private let runsOfExamples: [Range<Int>]
    /// Rows of output gradients, those of a run beside each other.
    private let order: [Int]
    private let positions: Int
    /// What the table's gradient is multiplied by; nil for nothing.
    var weights: RankOneWeights?

    private struct Run {
        let row: Int
        let places: Range<Int>
    }

    init(columns: Range<Int>, indices: [Int], outputGradients: Matrix, positions: Int) {
        var runs: [Run] = []
        var runsOfExamples: [Range<Int>] = []
        var order: [Int] = []
        for begin in stride(from: 0, to: indices.count, by: positions) {
            let firstRun = runs.count
            let used = (begin..<begin + positions).filter { indices[$0] >= 0 }
                .sorted { (indices[$0], $0) < (indices[$1], $1) }
            var place = 0
            while place < used.count {
                let row = indices[used[place]]
                let end = used[place...].firstIndex { indices[$0] != row } ?? used.count
                runs.append(Run(row: row, places: order.count + place..<order.count + end))
                place = end
            }
            order += used
            runsOfExamples.append(firstRun..<runs.count)
        }
        self.columns = columns
        self.outputGradients = outputGradients
        self.runs = runs
        self.runsOfExamples = runsOfExamples
        self.order = order
        self.positions = positions
    }

    var width: Int { outputGradients.columns }
    /// The positions of all examples that are in use.
    var positionCount: Int { order.count }
    /// How many rows of the table one example can use.
    var mostRows: Int { positions }

    /// The gradient in one row of the table; it may lie in `scratch`, which holds 12 bytes for each of its columns.
    private func gradient(
        of run: Run, _ part: Range<Int>, scratch: UnsafeMutableRawPointer
    ) -> UnsafePointer<Float> {
        let row = (scratch + 8 * part.count).bindMemory(to: Float.self, capacity: part.count)
        let kernels = Kernels.active
        var gradient = outputGradients.unsafeRow(order[run.places.lowerBound]) + part.lowerBound
        if run.places.count > 1 {
            let sum = scratch.bindMemory(to: Double.self, capacity: part.count)
            sum.update(repeating: 0, count: part.count)
            var one = 1.0
            for place in run.places {
                var error = outputGradients.unsafeRow(order[place]) + part.lowerBound
                kernels.add_weighted_rows(&error, &one, 1, 0, part.count, sum)
            }
            for column in 0..<part.count { row[column] = Float(sum[column]) }
            gradient = UnsafePointer(row)
        }
        guard let weights else { return gradient }
        let scale = scratch.bindMemory(to: Float.self, capacity: part.count)
        weights.write(row: run.row, part, to: scale)
        kernels.multiplied(gradient, scale, part.count, row)
        return UnsafePointer(row)
    }

    /// Calls `body` with each row of the table that an example uses, and with columns `part` of its gradient there.
    func forEachRow(
        of example: Int, _ part: Range<Int>, scratch: UnsafeMutableRawPointer,
        _ body: (_ row: Int, _ gradient: UnsafePointer<Float>) -> Void
    ) {
        for run in runs[runsOfExamples[example]] { body(run.row, gradient(of: run, part, scratch: scratch)) }
    }

    func squaredNorms(of examples: Range<Int>, under scale: UnsafePointer<Float>?, into norms: inout [Double]) {
        let kernels = Kernels.active
        norms.withUnsafeMutableBufferPointer { norms in
            TaskTeam.run(
                tasks: examples.count, work: order.count * width, scratchBytes: 12 * width
            ) { index, scratch in
                var sum = 0.0
                for run in runs[runsOfExamples[examples.lowerBound + index]] {
                    var row = gradient(of: run, 0..<width, scratch: scratch)
                    var square = 0.0
                    kernels.squared_norms(&row, 1, 0, width, scale.map { $0 + run.row * width }, &square)
                    sum += square
                }
                norms[index] = sum
            }
        }
    }

    func addWeightedSum(of examples: [WeightedExample], to sum: UnsafeMutablePointer<Double>) {
        let kernels = Kernels.active
        let length = 64
        TaskTeam.run(
            tasks: TaskTeam.pieces(of: width, length: length), work: order.count * width, scratchBytes: 12 * length
        ) { task, scratch in
            let part = TaskTeam.piece(task, of: width, length: length)
            for example in examples {
                var clipFactor = example.clipFactor
                forEachRow(of: example.example, part, scratch: scratch) { row, gradient in
                    var gradient = gradient
                    kernels.add_weighted_rows(
                        &gradient, &clipFactor, 1, 0, part.count, sum + row * width + part.lowerBound)
                }
            }
        }
    }

    func copyGradient(of example: Int, into row: UnsafeMutablePointer<Float>) {
        row.update(repeating: 0, count: columns.count)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(64, 12 * width), alignment: 64)
        defer { scratch.deallocate() }
        for run in runs[runsOfExamples[example]] {
            (row + run.row * width).update(from: gradient(of: run, 0..<width, scratch: scratch), count: width)
        }
    }
}
