import ArgumentParser
import CommandLineSupport
import Foundation
import GradientTransformations
import LinearAlgebra
import PrivateOptimization
import PyTrees

struct OptimizersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "optimizers",
        abstract: "Times a step of each optimizer against the time to move the bytes it must move.",
        discussion: """
            The yardstick reads and writes as many vectors of the same length, with one addition for each, measured \
            in turn with the optimizer. A step must read the gradient, the parameters and the moments, and write the \
            parameters and the moments, each once; optimizers that need a norm take more than one trip.
            """)

    @Option(help: "Parameters.")
    var params = 1_000_000

    @OptionGroup var options: MeasurementOptions

    struct Record: Codable {
        var benchmark = "optimizers"
        let optimizer: String
        let threads: Int
        let params: Int
        let bytesPerParameter: Int
        let seconds: Double
        let moveSeconds: Double
        let nanosecondsPerParameter: Double
        let gigabytesPerSecond: Double
        let ratio: Double
    }

    func validate() throws {
        try MeasurementOptions.requirePositive("--params", params)
    }

    func run() throws {
        let threads = options.applyThreads()
        let progress = ProgressLine()
        let layout = try TreeLayout([
            (path: "kernel", shape: [params - params / 10]), (path: "bias", shape: [params / 10]),
        ])
        let subjects = try OptimizerSubject.all(layout: layout)
        var records: [Record] = []
        for team in threads == 1 ? [1] : [1, threads] {
            Threads.limit = team
            for subject in subjects {
                progress.show("optimizers: \(subject.name) on \(team) of \(threads) threads")
                // Several steps in a row make one run, so that a thread's start and an interruption weigh less.
                let steps = max(1, 8_000_000 / params)
                let measurement = try Measurement(
                    runs: options.runs,
                    of: [
                        { for _ in 0..<steps { subject.step() } },
                        { for _ in 0..<steps { subject.move() } },
                    ])
                let seconds = measurement.median(of: 0) / Double(steps)
                let bytes = 4 * (subject.reads + subject.writes)
                records.append(
                    Record(
                        optimizer: subject.name, threads: team, params: params, bytesPerParameter: bytes,
                        seconds: seconds, moveSeconds: measurement.median(of: 1) / Double(steps),
                        nanosecondsPerParameter: 1e9 * seconds / Double(params),
                        gigabytesPerSecond: 1e-9 * Double(bytes * params) / seconds,
                        ratio: measurement.medianRatio(of: 0, to: 1)))
            }
        }
        Threads.limit = threads
        progress.clear()
        try show(records)
    }

    private func show(_ records: [Record]) throws {
        let columns: [RecordTable<Record>.Column] = [
            .words("optimizer") { $0.optimizer },
            .numbers("threads") { $0.threads },
            .numbers("bytes") { $0.bytesPerParameter },
            .numbers("ns") { Format.decimals($0.nanosecondsPerParameter, 3) },
            .numbers("GB/s") { Format.decimals($0.gigabytesPerSecond, 1) },
            .numbers("× move") { Format.decimals($0.ratio, 2) },
        ]
        try options.show(records, columns: columns) {
            let bars = records.map {
                (name: "\($0.optimizer), \($0.threads)", value: $0.ratio, label: Format.decimals($0.ratio, 2))
            }
            return BarChart(title: "Step time over the time to move its bytes", unit: "×", bars: bars).svg
        }
    }
}

/// An optimizer with its vectors, and vectors of the same length to move beside it.
private final class OptimizerSubject {
    let name: String
    /// Vectors that a step reads from memory and writes to it.
    let reads: Int
    let writes: Int
    let step: () -> Void
    private var vectors: [ParameterVector]

    private init<Optimizer: GradientTransformation>(
        _ name: String, reads: Int, writes: Int, layout: TreeLayout, divides: Bool = false, _ optimizer: Optimizer
    ) throws {
        self.name = name
        self.reads = reads
        self.writes = writes
        vectors = (0..<max(reads, writes)).map { ParameterVector(repeating: Float($0), layout: layout) }
        var parameters = ParameterVector(repeating: 1, layout: layout)
        var gradient = ParameterVector(repeating: 1e-3, layout: layout)
        let divisor = divides ? ParameterVector(repeating: 1, layout: layout) : nil
        var state = try optimizer.initialState(for: parameters)
        step = {
            guard let divisor else { return optimizer.step(&gradient, state: &state, parameters: &parameters) }
            // As under scale-then-privatize: the gradient is divided by its scale in the same trip.
            UpdatePass.step(&gradient, parameters: &parameters) { pass in
                pass.withDivision(by: divisor) {
                    optimizer.join(&$0, state: &state, then: UpdatePass.addToParameters)
                }
            }
        }
    }

    /// Reads and writes as many vectors as a step does.
    func move() {
        MemoryMove.run(&vectors, writes: writes)
    }

    static func all(layout: TreeLayout) throws -> [OptimizerSubject] {
        let rate = 1e-3
        return [
            try OptimizerSubject("sgd", reads: 2, writes: 1, layout: layout, sgd(learningRate: rate)),
            try OptimizerSubject(
                "sgd, momentum", reads: 3, writes: 2, layout: layout, sgd(learningRate: rate, momentum: 0.9)),
            try OptimizerSubject("adam", reads: 4, writes: 3, layout: layout, adam(learningRate: rate)),
            try OptimizerSubject(
                "adam, divided", reads: 5, writes: 3, layout: layout, divides: true, adam(learningRate: rate)),
            try OptimizerSubject("nadam", reads: 4, writes: 3, layout: layout, nadam(learningRate: rate)),
            try OptimizerSubject(
                "adamw", reads: 4, writes: 3, layout: layout, adamw(learningRate: rate, weightDecay: 0.01)),
            try OptimizerSubject("amsgrad", reads: 5, writes: 4, layout: layout, amsgrad(learningRate: rate)),
            try OptimizerSubject("rmsprop", reads: 3, writes: 2, layout: layout, rmsprop(learningRate: rate)),
            try OptimizerSubject(
                "rmsprop, centered", reads: 4, writes: 3, layout: layout, centeredRmsprop(learningRate: rate)),
            try OptimizerSubject("adagrad", reads: 3, writes: 2, layout: layout, adagrad(learningRate: rate)),
            try OptimizerSubject("adadelta", reads: 4, writes: 3, layout: layout, adadelta(learningRate: rate)),
            try OptimizerSubject("adabelief", reads: 4, writes: 3, layout: layout, adabelief(learningRate: rate)),
            try OptimizerSubject("yogi", reads: 4, writes: 3, layout: layout, yogi(learningRate: rate)),
            try OptimizerSubject("lion", reads: 3, writes: 2, layout: layout, lion(learningRate: rate)),
            // What must move, as for Adam; that the norms cost another trip shows in the ratio.
            try OptimizerSubject("lamb", reads: 4, writes: 3, layout: layout, lamb(learningRate: rate)),
            try OptimizerSubject(
                "adamBC", reads: 4, writes: 3, layout: layout,
                adamBC(learningRate: rate, noiseStandardDeviation: 1e-4)),
            // As above: the gradient is read once more for its norm.
            try OptimizerSubject(
                "clip and adam", reads: 4, writes: 3, layout: layout,
                chain {
                    try ClipByGlobalNorm(1)
                    try adam(learningRate: rate)
                }),
        ]
    }
}

/// One read of several vectors and one write of some of them, on all threads: what no step can beat.
private enum MemoryMove {
    static func run(_ vectors: inout [ParameterVector], writes: Int) {
        let count = vectors.first?.count ?? 0
        withPointers(&vectors, []) { pointers in
            nonisolated(unsafe) let pointers = pointers
            Threads.withTeam(of: Threads.limit) { member in
                move(pointers, writes: writes, member.share(of: 0..<count / 16))
            }
        }
    }

    private static func withPointers(
        _ vectors: inout [ParameterVector], _ pointers: [UnsafeMutableRawPointer],
        _ body: ([UnsafeMutableRawPointer]) -> Void
    ) {
        if vectors.isEmpty { return body(pointers) }
        var vector = vectors.removeFirst()
        vector.withUnsafeMutableValues { values in
            withPointers(&vectors, pointers + [UnsafeMutableRawPointer(values.baseAddress!)], body)
        }
        vectors.insert(vector, at: 0)
    }

    private static func move(_ vectors: [UnsafeMutableRawPointer], writes: Int, _ share: Range<Int>) {
        // Blocks of 4 KB of each vector, so that no more than two streams are under way at once.
        let block = 64
        for begin in stride(from: share.lowerBound, to: share.upperBound, by: block) {
            let end = min(begin + block, share.upperBound)
            var sum = SIMD16<Float>.zero
            for read in vectors[writes...] {
                for index in begin..<end {
                    sum += read.loadUnaligned(fromByteOffset: 64 * index, as: SIMD16<Float>.self)
                }
            }
            for write in vectors[..<writes] {
                for index in begin..<end {
                    let value = write.loadUnaligned(fromByteOffset: 64 * index, as: SIMD16<Float>.self)
                    write.storeBytes(of: value + sum, toByteOffset: 64 * index, as: SIMD16<Float>.self)
                }
            }
        }
    }
}
