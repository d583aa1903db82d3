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
        (1, 0.01, 1_000_000, 1e-5),
    ]

    func validate() throws {
        guard runs >= 1 else { throw ValidationError("--runs is \(runs), but must be at least 1.") }
    }

    func run() throws {
        let pld = PrivacyLossDistributionAccountant()
        let rdp = RenyiAccountant(relation: .addOrRemoveOne)
        for setting in Self.grid {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: setting.z, samplingProbability: setting.q, iterations: setting.steps)
            let spent = try measure("pld-epsilon", setting) { try pld.epsilon(of: event, delta: setting.delta) }
            _ = try measure("pld-bounds", setting) {
                try pld.epsilonBounds(of: event, delta: setting.delta).upper
            }
            _ = try measure("rdp-epsilon", setting) { try rdp.epsilon(of: event, delta: setting.delta) }
            _ = try measure("calibrate-noise", setting) {
                let calibration = try Calibration(pld, epsilon: spent, delta: setting.delta)
                return try calibration.noiseMultiplier { z throws(AccountingError) in
                    try .dpSGD(noiseMultiplier: z, samplingProbability: setting.q, iterations: setting.steps)
                }
            }
        }
    }

    private func measure(
        _ path: String, _ setting: (z: Double, q: Double, steps: Int, delta: Double), _ body: () throws -> Double
    ) throws -> Double {
        var value = try body()
        var times: [Double] = []
        for _ in 0..<runs {
            let duration = try ContinuousClock().measure { value = try body() }
            times.append(Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18)
        }
        let record = Record(
            path: path, noiseMultiplier: setting.z, samplingProbability: setting.q, iterations: setting.steps,
            delta: setting.delta, runs: runs, value: value, seconds: times.sorted()[runs / 2])
        switch format {
        case .json:
            try printJSONLine(record)
        case .table:
            let name = path.padding(toLength: 16, withPad: " ", startingAt: 0)
            let place = String(
                format: "z %-5.2f q %-8.5f T %-8d δ %-6.0e", setting.z, setting.q, setting.steps, setting.delta)
            print("\(name) \(place)  \(String(format: "%9.6f → %8.2f ms", value, record.seconds * 1e3))")
        }
        return value
    }
}
