import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAccounting
import PrivateTraining

extension NeighboringRelation: ExpressibleByArgument {}
extension PlanAccountant: ExpressibleByArgument {}
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

    /// What `accountant` says of it.
    func row(by accountant: any PrivacyAccountant) throws -> Row {
        let ends = try accountant.epsilonEnds(of: event(), delta: delta)
        return Row(
            epsilon: ends.upper, delta: delta, noiseMultiplier: noiseMultiplier,
            samplingProbability: samplingProbability, iterations: iterations,
            accountant: type(of: accountant).name, relation: relation.rawValue, lowerBound: ends.lower)
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

    /// The accountant of a name, as these options want it.
    func make(_ accountant: PlanAccountant) throws -> any PrivacyAccountant {
        try accountant.make(relation: relation, isFine: fine)
    }
}
