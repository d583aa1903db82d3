import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAccounting

/// `dpbench accounting`: seconds per ε and per calibration.
struct AccountingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounting",
        abstract: "Times ε by both accountants, and calibration, over a grid of DP-SGD settings.")

    @Option(help: "Runs per figure; the median is reported.")
    var runs = 5

    @Option(help: "How to print.")
    var format = OutputFormat.table

    struct Record: Encodable {
        var benchmark = "accounting"
        let path: String
        let noiseMultiplier: Double
        let samplingProbability: Double
        let iterations: Int
        let delta: Double
        let runs: Int
        let value: Double
        let seconds: Double
    }

    /// From small to huge: z, q, T, δ. The first is the setting that is quoted.
    private static let grid: [(z: Double, q: Double, steps: Int, delta: Double)] = [
        (1.1, 256.0 / 60_000, 14_062, 1e-5), (0.6, 0.01, 1000, 1e-5), (0.8, 0.004, 2000, 1e-5),
        (1.3, 0.0005, 100_000, 1e-7), (4, 0.25, 3000, 1e-5), (8, 0.5, 100, 1e-8), (0.45, 0.001, 300, 1e-5),
        (1, 0.01, 1_000_000, 1e-5), (1, 1e-6, 1_000_000, 1e-5),
    ]

    func validate() throws {
        guard runs >= 1 else { throw ValidationError("--runs is \(runs), but must be at least 1.") }
    }

    func run() throws {
        let progress = ProgressLine()
        var records: [Record] = []
        let pld = PrivacyLossDistributionAccountant()
        let rdp = RenyiAccountant(relation: .addOrRemoveOne)
        for setting in Self.grid {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: setting.z, samplingProbability: setting.q, iterations: setting.steps)
            progress.show("accounting: z \(setting.z), q \(setting.q), T \(setting.steps)")
            let spent = try measure("pld-epsilon", setting) { try pld.epsilon(of: event, delta: setting.delta) }
            records.append(spent)
            records.append(
                try measure("pld-bounds", setting) { try pld.epsilonBounds(of: event, delta: setting.delta).upper })
            records.append(
                try measure("rdp-epsilon", setting) { try rdp.epsilon(of: event, delta: setting.delta) })
            records.append(
                try measure("calibrate-noise", setting) {
                    let calibration = try Calibration(pld, epsilon: spent.value, delta: setting.delta)
                    return try calibration.noiseMultiplier { z throws(AccountingError) in
                        try .dpSGD(noiseMultiplier: z, samplingProbability: setting.q, iterations: setting.steps)
                    }
                })
        }
        progress.show("accounting: random allocation")
        let allocation = try PrivacyEvent.randomAllocated(steps: 1000, participations: 1, noiseMultiplier: 1)
        records.append(
            try measure("pld-allocation", (1, 1e-3, 1000, 1e-8)) { try pld.epsilon(of: allocation, delta: 1e-8) })
        progress.clear()
        try Self.table(records).print(as: format)
    }

    private static func table(_ records: [Record]) -> RecordTable<Record> {
        RecordTable(
            records,
            columns: [
                .words("path") { $0.path },
                .numbers("z") { "\($0.noiseMultiplier)" },
                .numbers("q") { Format.decimals($0.samplingProbability, 5) },
                .numbers("T") { $0.iterations },
                .numbers("δ") { "\($0.delta)" },
                .numbers("value") { Format.decimals($0.value, 6) },
                .numbers("ms") { Format.decimals(1000 * $0.seconds, 2) },
            ])
    }

    private func measure(
        _ path: String, _ setting: (z: Double, q: Double, steps: Int, delta: Double), _ body: () throws -> Double
    ) throws -> Record {
        var value = try body()
        var times: [Double] = []
        for _ in 0..<runs {
            let duration = try ContinuousClock().measure { value = try body() }
            times.append(Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18)
        }
        return Record(
            path: path, noiseMultiplier: setting.z, samplingProbability: setting.q, iterations: setting.steps,
            delta: setting.delta, runs: runs, value: value, seconds: times.sorted()[runs / 2])
    }
}
