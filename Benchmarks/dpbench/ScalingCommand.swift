import ArgumentParser
import CommandLineSupport
import Foundation
import LinearAlgebra

struct ScalingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scaling",
        abstract: "Times the fused pipeline over growing batches, parameters and threads.")

    @Option(help: "The largest matrix, in million elements.")
    var millions = 256

    @OptionGroup var options: MeasurementOptions

    func validate() throws {
        try MeasurementOptions.requirePositive("--millions", millions)
    }

    func run() throws {
        let threads = options.applyThreads()
        let teams = threads == 1 ? [1] : [1, threads]
        var records: [PipelineRecord] = []
        for (examples, parameters) in Self.sizes(upTo: millions * 1_000_000) {
            let problem = try PipelineProblem.synthetic(examples: examples, parameters: parameters, hasScale: true)
            for team in teams {
                Threads.limit = team
                records += try PipelineRun(problem: problem, threads: team, runs: options.runs, paths: [.fused])
                    .records()
            }
        }
        try show(records)
    }

    /// Growing examples at 100,000 parameters, and growing parameters at 64 examples.
    private static func sizes(upTo elements: Int) -> [(Int, Int)] {
        let byExamples = [16, 64, 256, 1024, 4096].map { ($0, 100_000) }
        let byParameters = [1_000, 10_000, 1_000_000, 4_000_000, 16_000_000].map { (64, $0) }
        return (byExamples + byParameters).filter { $0.0 * $0.1 <= elements }.sorted { $0.0 * $0.1 < $1.0 * $1.1 }
    }

    private func show(_ records: [PipelineRecord]) throws {
        let columns: [RecordTable<PipelineRecord>.Column] = [
            .numbers("examples") { $0.examples },
            .numbers("parameters") { $0.params },
            .numbers("threads") { $0.threads },
            .numbers("seconds") { Format.seconds($0.seconds) },
            .numbers("GB/s") { Format.decimals($0.gigabytesPerSecond, 1) },
            .numbers("reads") { Format.decimals($0.timesReadOnce, 2) },
        ]
        try options.show(records, columns: columns) { chart(records) }
    }

    private func chart(_ records: [PipelineRecord]) -> String {
        let series = Set(records.map(\.threads)).sorted().map { threads in
            LineChart.Series(
                name: "\(threads) thread\(threads == 1 ? "" : "s")",
                points: records.filter { $0.threads == threads }
                    .map { (Double($0.examples * $0.params) / 1e6, $0.gigabytesPerSecond) })
        }
        return LineChart(
            title: "The fused pipeline over growing matrices", xLabel: "million elements",
            yLabel: "GB/s of gradients", xScale: .logarithmic, series: series
        ).svg
    }
}
