import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAccounting

extension NeighboringRelation: ExpressibleByArgument {}
extension OutputFormat: ExpressibleByArgument {}

/// DP-SGD: the four numbers, whichever of them is being asked for.
struct Setting {
    var noiseMultiplier: Double
    var samplingProbability: Double
    var iterations: Int
    var delta: Double
    var relation: NeighboringRelation

    func event() throws(AccountingError) -> PrivacyEvent {
        try .dpSGD(
            noiseMultiplier: noiseMultiplier, samplingProbability: samplingProbability, iterations: iterations)
    }

    func row(pld discretization: PrivacyLossDistributionAccountant.Discretization) throws -> Row {
        let accountant = try PrivacyLossDistributionAccountant(relation: relation, discretization: discretization)
        let bounds = try accountant.epsilonBounds(of: event(), delta: delta)
        return row(epsilon: bounds.upper, accountant: PrivacyLossDistributionAccountant.name, lower: bounds.lower)
    }

    func rdpRow() throws -> Row {
        let guarantee = try RenyiAccountant(relation: relation).guarantee(of: event(), delta: delta)
        return row(epsilon: guarantee.epsilon, accountant: RenyiAccountant.name, lower: nil)
    }

    private func row(epsilon: Double, accountant: String, lower: Double?) -> Row {
        Row(
            epsilon: epsilon, delta: delta, noiseMultiplier: noiseMultiplier,
            samplingProbability: samplingProbability, iterations: iterations, accountant: accountant,
            relation: relation.rawValue, lowerBound: lower)
    }
}

/// One line of output.
struct Row: Encodable {
    let epsilon: Double
    let delta: Double
    let noiseMultiplier: Double
    let samplingProbability: Double
    let iterations: Int
    let accountant: String
    let relation: String
    let lowerBound: Double?

    enum CodingKeys: CodingKey {
        case epsilon, delta, noiseMultiplier, samplingProbability, iterations, accountant, relation, lowerBound
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(epsilon, forKey: .epsilon)
        try box.encode(delta, forKey: .delta)
        try box.encode(noiseMultiplier, forKey: .noiseMultiplier)
        try box.encode(samplingProbability, forKey: .samplingProbability)
        try box.encode(iterations, forKey: .iterations)
        try box.encode(accountant, forKey: .accountant)
        try box.encode(relation, forKey: .relation)
        // A key that is always there, null where no lower bound is known.
        try box.encode(lowerBound, forKey: .lowerBound)
    }

    static func show(_ rows: [Row], as format: OutputFormat) throws {
        let table = RecordTable(
            rows,
            columns: [
                .words("accountant") { $0.accountant },
                .numbers("ε") { text($0.epsilon, up: true) },
                .numbers("at least") { $0.lowerBound.map { text($0) } ?? "–" },
                .numbers("δ") { "\($0.delta)" },
                .numbers("z") { "\($0.noiseMultiplier)" },
                .numbers("q") { "\($0.samplingProbability)" },
                .numbers("T") { "\($0.iterations)" },
                .words("relation") { $0.relation },
            ])
        try table.print(as: format)
    }

    /// Four decimals, rounded outward: an upper bound is never shown smaller than it is.
    private static func text(_ value: Double, up: Bool = false) -> String {
        guard value.isFinite, value < 1e9 else { return value.isFinite ? "\(value)" : "∞" }
        return String(format: "%.4f", (value * 1e4).rounded(up ? .up : .down) / 1e4)
    }
}

struct SharedOptions: ParsableArguments {
    @Option(help: "Which neighbouring data sets are compared.")
    var relation: NeighboringRelation = .addOrRemoveOne

    @Option(help: "How to print.")
    var format: OutputFormat = .table

    @Flag(help: "Let the grid of losses be finer than 1e-4 where that tightens ε (pld).")
    var fine = false

    var discretization: PrivacyLossDistributionAccountant.Discretization { fine ? .fine : .standard }
}
