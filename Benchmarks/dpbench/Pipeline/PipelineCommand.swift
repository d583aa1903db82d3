import ArgumentParser
import CommandLineSupport
import Foundation
import LinearAlgebra
import PrivacyMechanisms
import PrivateTraining
import PyTrees

struct PipelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "Times transform, clip, sum, noise and inverse over one matrix: naive, BLAS and fused.",
        discussion: """
            Without --examples, --params and --gradients, the per-example gradients of a softmax regression on 1,797 \
            handwritten digits are privatized as well, and the private mean gradient is compared with the true one.
            """)

    enum Transform: String, CaseIterable, ExpressibleByArgument {
        case diagonal, none
    }

    @Option(help: "Examples in the synthetic matrix (default: 256).")
    var examples: Int?

    @Option(help: "Parameters in the synthetic matrix (default: 1000000).")
    var params: Int?

    @Option(help: ArgumentHelp("A matrix of your own, in NumPy's format.", valueName: "FILE.npy"))
    var gradients: String?

    @Option(help: "The pre-clipping transform.")
    var transform = Transform.diagonal

    @OptionGroup var options: MeasurementOptions

    func validate() throws {
        if let examples { try MeasurementOptions.requirePositive("--examples", examples) }
        if let params { try MeasurementOptions.requirePositive("--params", params) }
        if gradients != nil, examples != nil || params != nil {
            throw ValidationError("--gradients brings its own size: leave out --examples and --params.")
        }
    }

    func run() throws {
        let threads = options.applyThreads()
        let problem = try problem()
        let records = try PipelineRun(problem: problem, threads: threads, runs: options.runs).records()
        try table(records).print(as: options.format)
        if let plot = options.plot { try writeFile(chart(records), to: plot) }
        if examples == nil && params == nil && gradients == nil { try runDigits(threads: threads) }
    }

    private func problem() throws -> PipelineProblem {
        let hasScale = transform == .diagonal
        guard let gradients else {
            let (rows, columns) = (examples ?? 256, params ?? 1_000_000)
            // The matrix and the BLAS path's copy of it.
            let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
            let needed = overflow ? Int.max : count.multipliedReportingOverflow(by: 8).partialValue
            if let available = SystemMemory.availableBytes, overflow || count > Int.max / 8 || needed > available {
                throw BenchmarkError.notEnoughMemory(needed: needed, available: available)
            }
            return try .synthetic(examples: rows, parameters: columns, hasScale: hasScale)
        }
        let array = try NumPyArray(contentsOf: gradients, limit: .max)
        guard array.shape.count == 2 else {
            let problem = NumPyProblem.wrongShape(array.shape, expected: "two dimensions: examples × parameters")
            throw DatasetError.numPy(path: gradients, problem: problem)
        }
        guard array.count > 0 else { throw BenchmarkError.nothingToMeasure(path: gradients, shape: array.shape) }
        let matrix = array.matrix()
        return PipelineProblem(
            name: URL(fileURLWithPath: gradients).lastPathComponent, gradients: matrix,
            layout: try TreeLayout([("gradient", [matrix.columns])]), hasScale: hasScale, l2ClipNorm: nil,
            noiseMultiplier: 1)
    }

    private func runDigits(threads: Int) throws {
        let (gradients, layout) = try Digits.all.softmaxGradients()
        let problem = PipelineProblem(
            name: "digits", gradients: gradients, layout: layout, hasScale: transform == .diagonal, l2ClipNorm: nil,
            noiseMultiplier: 1)
        let records = try PipelineRun(problem: problem, threads: threads, runs: options.runs).records()
        try table(records, title: "Softmax regression on 1,797 digits (UCI optical digits, CC BY 4.0):")
            .print(as: options.format)
        try PrivateMeanError(problem).table.print(as: options.format)
    }

    private func table(_ records: [PipelineRecord], title: String? = nil) -> RecordTable<PipelineRecord> {
        let first = records[0]
        let heading =
            (title.map { "\n\($0)\n" } ?? "")
            + "\(first.examples) × \(first.params), transform \(first.transform), \(first.threads) threads; "
            + "one read of the matrix takes \(Format.seconds(first.readOnceSeconds)) s"
        return RecordTable(
            records, heading: heading,
            columns: [
                .words("path") { $0.path },
                .numbers("seconds") { Format.seconds($0.seconds) },
                .numbers("GB/s") { Format.decimals($0.gigabytesPerSecond, 1) },
                .numbers("× naive") { $0.timesNaive.map { Format.decimals($0, 2) } ?? "" },
                .numbers("reads") { Format.decimals($0.timesReadOnce, 2) },
                .numbers("peak MiB") { Format.mebibytes($0.peakBytes) },
                .numbers("error") { String(format: "%.1e", $0.maxRelativeError) },
            ])
    }

    private func chart(_ records: [PipelineRecord]) -> String {
        let read = ("one read", records[0].readOnceSeconds, Format.seconds(records[0].readOnceSeconds) + " s")
        let bars = records.map { ($0.path, $0.seconds, "\(Format.seconds($0.seconds)) s") }
        return BarChart(
            title: "Privatizing \(records[0].examples) × \(records[0].params) gradients, \(records[0].threads) threads",
            unit: "seconds", bars: [read] + bars
        ).svg
    }
}
