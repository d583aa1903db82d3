import ArgumentParser
import CommandLineSupport
import Foundation
import PrivacyAccounting
import PrivateTraining

extension NeighboringRelation: OptionValue {}
extension PlanAccountant: OptionValue {}

/// DP-SGD: the four numbers, whichever of them is being asked for.
struct DPSGD {
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
                .numbers("ε") { Epsilon.text($0.epsilon) },
                .numbers("at least") { $0.lowerBound.map { Epsilon.text($0, up: false) } ?? "–" },
                .numbers("δ") { "\($0.delta)" },
                .numbers("z") { shortest($0.noiseMultiplier) },
                .numbers("q") { shortest($0.samplingProbability) },
                .numbers("T") { "\($0.iterations)" },
                .words("relation") { $0.relation },
            ])
        try table.print(as: format)
    }

    /// Six significant digits: JSON has all of them.
    private static func shortest(_ value: Double) -> String { String(format: "%.6g", value) }
}

/// Which neighbours are compared, and how answers are printed.
struct SharedOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Which neighbouring data sets are compared. (default: add-or-remove-one)")
    var relation: Given<NeighboringRelation>?

    @Option(parsing: .unconditional, help: "How to print. (default: table)")
    var format: Given<OutputFormat>?

    @Flag(help: "Let the grid of losses be finer than 1e-4 where that tightens ε (pld).")
    var fine = false

    @Option(help: "Draw ε over steps into this SVG file.", completion: .file(extensions: ["svg"]))
    var plot: String?

    @OptionGroup var unrecognized: Unrecognized

    /// The options' values. What is wrong with them is noted.
    func checked(_ check: inout UsageCheck, of command: any ParsableCommand.Type) -> Checked {
        check.refuse(unrecognized.words, of: command)
        return Checked(
            relation: check.value(relation, "--relation") ?? .addOrRemoveOne,
            format: check.value(format, "--format") ?? .table, isFine: fine)
    }

    struct Checked {
        let relation: NeighboringRelation
        let format: OutputFormat
        let isFine: Bool

        /// The accountant of a name, as these options want it.
        func make(_ accountant: PlanAccountant) throws -> any PrivacyAccountant {
            try accountant.make(relation: relation, isFine: isFine)
        }
    }
}
