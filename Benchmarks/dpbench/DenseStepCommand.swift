import ArgumentParser
import CommandLineSupport
import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyMechanisms
import PrivateOptimization
import PyTrees

struct DenseStepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dense-step",
        abstract: "Times a whole step by scale-then-privatized Adam on a dense matrix against the pipeline alone.")

    @Option(help: "Examples per batch.")
    var examples = 256

    @Option(help: "Parameters.")
    var params = 1_000_000

    @OptionGroup var options: MeasurementOptions

    struct Record: Codable {
        var benchmark = "dense-step"
        let path: String
        let threads: Int
        let examples: Int
        let params: Int
        let seconds: Double
        let ratioToPipeline: Double
    }

    func validate() throws {
        try MeasurementOptions.requirePositive("--examples", examples)
        try MeasurementOptions.requirePositive("--params", params)
    }

    func run() throws {
        let threads = options.applyThreads()
        let progress = ProgressLine()
        progress.show("dense-step: \(examples) × \(params) gradients")
        let problem = try PipelineProblem.synthetic(examples: examples, parameters: params, hasScale: true)
        let path = try FusedPath(problem: problem)
        var pipelineNoise = Noise(.discreteGaussian)
        var training = try Training(problem: problem)
        var trainingNoise = Noise(.discreteGaussian)
        var workspace = StepWorkspace()
        let competitors: [(String, () throws -> Void)] = [
            ("pipeline", { _ = try path.privateGradient(noiseMultiplier: 1, noise: &pipelineNoise) }),
            ("whole step", { try training.step(noise: &trainingNoise, workspace: &workspace) }),
        ]
        let measurement = try Measurement(runs: options.runs, of: competitors.map(\.1)) {
            progress.show("dense-step: run \($0) of \(options.runs)")
        }
        progress.clear()
        try show(
            competitors.indices.map { index in
                Record(
                    path: competitors[index].0, threads: threads, examples: examples, params: params,
                    seconds: measurement.median(of: index), ratioToPipeline: measurement.medianRatio(of: index, to: 0))
            })
    }

    private func show(_ records: [Record]) throws {
        let columns: [RecordTable<Record>.Column] = [
            .words("path") { $0.path },
            .numbers("threads") { $0.threads },
            .numbers("seconds") { Format.seconds($0.seconds) },
            .numbers("of the pipeline") { Format.decimals($0.ratioToPipeline, 3) },
        ]
        try options.show(records, columns: columns) {
            let bars = records.map {
                (name: $0.path, value: 1000 * $0.seconds, label: Format.decimals(1000 * $0.seconds, 1))
            }
            return BarChart(title: "A private step", unit: "milliseconds", bars: bars).svg
        }
    }

    /// A training loop that always sees the same gradients.
    private struct Training {
        let optimizer: ScaleThenPrivatize<Adam<Double>, KnownSecondMoment<Adam<Double>.State>>
        let rows: DenseRows
        let clipping: ClippingRule
        var state: ScaleThenPrivatizeState<Adam<Double>.State>
        var parameters: ParameterVector

        init(problem: PipelineProblem) throws {
            optimizer = try ScaleThenPrivatize(adam(learningRate: 1e-3))
            rows = try DenseRows(problem.gradients, layout: problem.layout)
            // A noisy sum that is small against the scaled gradients, so that second moments stay where they are.
            clipping = try .flat(l2ClipNorm: 1, normalizeBy: Double(rows.exampleCount))
            parameters = ParameterVector(zeros: problem.layout)
            state = try optimizer.initialState(for: parameters)
        }

        mutating func step(noise: inout Noise, workspace: inout StepWorkspace) throws {
            try optimizer.privateStep(
                on: rows, state: &state, parameters: &parameters, clipping: clipping, noiseMultiplier: 1,
                noise: &noise, workspace: &workspace)
        }
    }
}
