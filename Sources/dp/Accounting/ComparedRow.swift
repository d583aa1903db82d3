import CommandLineSupport
import Foundation
import PrivacyAccounting
import PrivateTraining

/// A plan, or a sampler, beside others.
struct ComparedRow: Encodable {
    /// The file, or the sampler and its numbers.
    let name: String
    let noiseMultiplier: Double
    let epsilon: Double
    let delta: Double
    let relation: NeighboringRelation
    /// ε over the steps.
    let line: PrivacyCurve.Line
    /// The trade-off curve after all of them.
    let tradeOffCurve: () throws -> TradeOffCurve

    private let sampling: String
    private let iterations: Int
    private let expectedBatchSize: Double
    private let lowerBound: Double?
    private let accountant: String
    /// Keys of this row alone.
    private let rest: [String: JSONValue]

    /// A plan of a file, by its own accountant and with its own noise.
    init(_ plan: PrivacyPlan, name: String) throws {
        self.name = name
        noiseMultiplier = plan.noiseMultiplier
        delta = plan.delta
        relation = plan.relation
        sampling = plan.sampling.kind
        iterations = plan.iterations
        expectedBatchSize = plan.normalizeBy
        accountant = plan.accountant.rawValue
        rest = ["plan": .text(name), "noise": .text(plan.noise.kind), "unit": .text(plan.unit.rawValue)]
        line = try plan.line(name)
        tradeOffCurve = { try plan.tradeOffCurve() }
        let judge = try plan.accountant()
        let event = try plan.event()
        let isExact = try plan.sampling.participation(in: plan.iterations).isDescribedExactly(by: event)
        (lowerBound, epsilon) = try Question.epsilon(delta: plan.delta).ends(of: event, by: judge, isExact: isExact)
    }

    /// A sampler at some work.
    init(_ setting: AccountedSetting, name: String, delta: Double, accountant: any PrivacyAccountant) throws {
        let row = try AccountingRow(.epsilon(delta: delta), of: setting, by: accountant)
        self.name = name
        self.delta = delta
        noiseMultiplier = setting.noiseMultiplier
        relation = setting.relation
        sampling = setting.sampler.kind
        iterations = setting.iterations
        expectedBatchSize = try setting.scheme().expectedBatchSize
        self.accountant = row.accountant
        rest = setting.numbers
        (lowerBound, epsilon) = row.ends
        line = PrivacyCurve.Line(
            name: name, iterations: setting.iterations, stepsPerEpoch: try setting.stepsPerEpoch()
        ) { try accountant.epsilon(of: setting.event(afterIterations: $0), delta: delta) }
        tradeOffCurve = { try accountant.tradeOffCurve(of: setting.event()) }
    }

    /// Writes the row's own keys beside those that every row has; the lower end is null where it is not known.
    func encode(to encoder: any Encoder) throws {
        let common: [String: JSONValue] = [
            "sampling": .text(sampling), "noiseMultiplier": JSONValue(noiseMultiplier),
            "iterations": .integer(iterations), "expectedBatchSize": JSONValue(expectedBatchSize),
            "epsilon": JSONValue(epsilon), "lowerBound": lowerBound.map { JSONValue($0) } ?? .null,
            "delta": JSONValue(delta), "relation": .text(relation.rawValue), "accountant": .text(accountant),
        ]
        try JSONValue.object(rest.merging(common) { $1 }).encode(to: encoder)
    }

    static func show(_ rows: [ComparedRow], as format: OutputFormat) throws {
        let isOfPlans = rows.contains { $0.rest["plan"] != nil }
        var columns: [RecordTable<ComparedRow>.Column] = [.words(isOfPlans ? "plan" : "sampling") { $0.name }]
        if isOfPlans { columns.append(.words("sampling") { $0.sampling }) }
        columns += [
            .numbers("z") { shortest($0.noiseMultiplier) },
            .numbers("T") { "\($0.iterations)" },
            .numbers("batch") { shortest($0.expectedBatchSize) },
            .numbers("ε") { Epsilon.text($0.epsilon) },
            .numbers("at least") { $0.lowerBound.map { Epsilon.text($0, up: false) } ?? "–" },
            .numbers("δ") { "\($0.delta)" },
            .words("relation") { $0.relation.rawValue },
            .words("accountant") { $0.accountant },
        ]
        try RecordTable(rows, columns: columns).print(as: format)
    }
}
