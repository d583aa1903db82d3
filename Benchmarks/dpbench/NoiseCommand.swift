import ArgumentParser
import CommandLineSupport
import Foundation
import LinearAlgebra
import PrivacyMechanisms

struct NoiseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "noise",
        abstract: "Times secure normal numbers, floating-point and discrete, on one thread and on all.")

    @Option(help: "Normals per run.")
    var count = 8_000_000

    @OptionGroup var options: MeasurementOptions

    struct Record: Codable {
        var benchmark = "noise"
        let path: String
        let threads: Int
        let count: Int
        let seconds: Double
        let normalsPerSecond: Double
    }

    func validate() throws {
        try MeasurementOptions.requirePositive("--count", count)
    }

    func run() throws {
        let threads = options.applyThreads()
        let progress = ProgressLine()
        var numbers = [Float](repeating: 0, count: count)
        var integers = [Int32](repeating: 0, count: count)
        var floatingPoint = GaussianNoise()
        var discrete = DiscreteGaussianNoise()
        let teams = threads == 1 ? [1] : [1, threads]
        var labels: [(path: String, threads: Int)] = []
        var competitors: [() throws -> Void] = []
        for team in teams {
            labels += [("floating-point", team), ("discrete", team)]
            competitors += [
                {
                    Threads.limit = team
                    var span = numbers.mutableSpan
                    floatingPoint.fill(&span)
                },
                {
                    Threads.limit = team
                    var span = integers.mutableSpan
                    // Deviations on a grid have some 2²⁰ units and more.
                    discrete.fill(&span, sigma: 0x1p22)
                },
            ]
        }
        let measurement = try Measurement(runs: options.runs, of: competitors) {
            progress.show("noise: run \($0) of \(options.runs)")
        }
        progress.clear()
        let records = labels.enumerated().map { index, label in
            let seconds = measurement.median(of: index)
            return Record(
                path: label.path, threads: label.threads, count: count, seconds: seconds,
                normalsPerSecond: Double(count) / seconds)
        }
        try show(records)
    }

    private func show(_ records: [Record]) throws {
        let columns: [RecordTable<Record>.Column] = [
            .words("path") { $0.path },
            .numbers("threads") { $0.threads },
            .numbers("seconds") { Format.seconds($0.seconds) },
            .numbers("million normals/s") { Format.decimals($0.normalsPerSecond / 1e6, 0) },
        ]
        try options.show(records, columns: columns) {
            let bars = records.map {
                (
                    name: "\($0.path), \($0.threads)", value: $0.normalsPerSecond / 1e6,
                    label: Format.decimals($0.normalsPerSecond / 1e6, 0)
                )
            }
            return BarChart(title: "Standard normals by path and threads", unit: "million per second", bars: bars)
                .svg
        }
    }
}
