import ArgumentParser
import Foundation
import PrivacyAccounting

extension NeighboringRelation: ExpressibleByArgument {
    /// Kebab case on the command line: `add-or-remove-one`, `replace-one`, `replace-special`.
    public init?(argument: String) {
        guard let match = Self.allCases.first(where: { $0.defaultValueDescription == argument }) else { return nil }
        self = match
    }

    /// The spelling on the command line.
    public var defaultValueDescription: String {
        switch self {
        case .addOrRemoveOne: "add-or-remove-one"
        case .replaceOne: "replace-one"
        case .replaceSpecial: "replace-special"
        }
    }

    /// Every spelling, for help and errors.
    public static var allValueStrings: [String] { allCases.map(\.defaultValueDescription) }
}

enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json
}

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
            relation: relation.defaultValueDescription, lowerBound: lower)
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

    /// JSON has no infinity: it is written as the string "inf".
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    static func show(_ rows: [Row], as format: OutputFormat) throws {
        switch format {
        case .json:
            for row in rows { print(try row.json()) }
        case .table:
            let header = ["accountant", "ε", "at least", "δ", "z", "q", "T", "relation"]
            let cells = rows.map { row in
                [
                    row.accountant, Self.text(row.epsilon, up: true), row.lowerBound.map { Self.text($0) } ?? "–",
                    "\(row.delta)", "\(row.noiseMultiplier)", "\(row.samplingProbability)", "\(row.iterations)",
                    row.relation,
                ]
            }
            let table = [header] + cells
            let widths = header.indices.map { column in table.map { $0[column].count }.max()! }
            for line in table {
                let padded = zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                print(padded.joined(separator: "  ").trimmingCharacters(in: .whitespaces))
            }
        }
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
