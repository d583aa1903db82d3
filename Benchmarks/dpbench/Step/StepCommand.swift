import ArgumentParser
import CommandLineSupport
import Foundation
import PrivateTraining

extension StepPathKind: ExpressibleByArgument {}

struct StepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "Times whole training steps of a network by Adam: not private, factored and dense.",
        discussion: """
            A step is the forward and the backward pass, clipping, noise where it is private, and the update. \
            The scaled ones scale gradients by Adam's second moment before clipping (scale-then-privatize), the one \
            of rank one by Adafactor's, whose unscaled step is beside it. The gradients of all are checked to agree \
            first, on the whole batch if a dense path is measured, otherwise on as many examples as 256 MB of rows \
            hold. A step needs at least 2·batch·(2·weights of the first layer + 3·weights of the others) \
            floating-point operations.
            """)

    @OptionGroup var perceptron: PerceptronOptions

    @Option(
        help: """
            Another network: transformer, gru (both over 64 tokens of 256), convolution (28 × 28 images), or a JSON \
            file with its layers.
            """)
    var model: String?

    @Option(help: "Examples per batch.")
    var batch = 256

    @Option(help: "Rows that the dense paths hold at once.")
    var microbatch = 128

    @Option(help: "A path to measure beside the baseline, several times for several (default: all).")
    var path: [StepPathKind] = []

    @OptionGroup var options: MeasurementOptions

    struct Record: Codable {
        var benchmark = "step"
        let path: String
        /// What the network is called.
        let model: String
        /// The widths of a perceptron.
        let dims: [Int]?
        let params: Int
        let threads: Int
        let batch: Int
        let seconds: Double
        let examplesPerSecond: Double
        /// The median of the ratios of runs taken beside each other.
        let timesNonPrivate: Double
        /// Floating-point operations of the products of a non-private step, over the seconds.
        let gigaflopsOfNonPrivate: Double?
        let peakBytes: Int?
    }

    func validate() throws {
        try MeasurementOptions.requirePositive("--batch", batch)
        try MeasurementOptions.requirePositive("--microbatch", microbatch)
    }

    func run() throws {
        let threads = options.applyThreads()
        let progress = ProgressLine()
        let widths = perceptron.widths
        let architecture =
            try model.map(StepProblem.architecture) ?? .multilayerPerceptron(dims: widths)
        let problem = try StepProblem(architecture, batch: batch, microbatch: microbatch)
        let kinds = StepPathKind.allCases.filter { path.isEmpty || $0 == .nonPrivate || path.contains($0) }
        try problem.requireMemory(for: kinds)
        progress.show("step: checking that the paths agree")
        if kinds.contains(where: \.isDense) {
            try problem.checkAgreement()
        } else {
            try StepProblem(architecture, batch: problem.agreementBatch, microbatch: 1).checkAgreement()
        }
        // One path at a time, so that each is charged with its own memory only.
        let peaks = try kinds.map { kind in
            progress.show("step: memory of the \(kind.rawValue) path")
            PeakMemory.reset()
            let path = try kind.makePath(for: problem)
            for _ in 0..<2 { try path.step() }
            return PeakMemory.bytes
        }
        let paths = try kinds.map { try $0.makePath(for: problem) }
        let measurement = try Measurement(
            runs: options.runs, inLoop: true, of: paths.map { path in { try path.step() } }
        ) {
            progress.show("step: run \($0) of \(options.runs)")
        }
        progress.clear()
        try show(
            kinds.indices.map { index in
                let seconds = measurement.median(of: index)
                return Record(
                    path: kinds[index].rawValue, model: name, dims: model == nil ? widths : nil,
                    params: problem.network.layout.count, threads: threads, batch: batch, seconds: seconds,
                    examplesPerSecond: Double(batch) / seconds,
                    timesNonPrivate: measurement.medianRatio(of: index, to: 0),
                    gigaflopsOfNonPrivate: problem.operations.map { 1e-9 * $0 / seconds }, peakBytes: peaks[index])
            })
    }

    /// What the network is called.
    private var name: String { model ?? perceptron.name }

    private func show(_ records: [Record]) throws {
        let first = records[0]
        let heading =
            "\(name), \(first.params) parameters, batch \(batch), "
            + "\(first.threads) threads"
        let columns: [RecordTable<Record>.Column] = [
            .words("path") { $0.path },
            .numbers("seconds") { Format.seconds($0.seconds) },
            .numbers("examples/s") { Format.decimals($0.examplesPerSecond, 0) },
            .numbers("× non-private") { Format.decimals($0.timesNonPrivate, 2) },
            .numbers("GFLOP/s") { $0.gigaflopsOfNonPrivate.map { Format.decimals($0, 0) } ?? "" },
            .numbers("peak MiB") { Format.mebibytes($0.peakBytes) },
        ]
        try options.show(records, heading: heading, columns: columns) {
            let bars = records.map {
                (name: $0.path, value: 1000 * $0.seconds, label: Format.decimals(1000 * $0.seconds, 1))
            }
            return BarChart(title: "A training step, \(name), batch \(batch)", unit: "milliseconds", bars: bars).svg
        }
    }
}
