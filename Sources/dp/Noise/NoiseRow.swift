import CommandLineSupport
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining

/// A way to make the noise of some work, calibrated to a budget, beside others.
struct NoiseRow: Encodable {
    let name: String
    /// The sampler, and what tells it from others of its kind.
    let sampling: String
    let relation: NeighboringRelation
    /// The bands of a banded strategy; 1 for independent noise and nil for other kinds.
    let bands: Int?
    /// The standard deviation of the noise in a prefix sum of mean gradients that are clipped to 1.
    let predictedError: Double
    /// The same beside that of DP-SGD under the same relation and budget; nil if that is not known.
    let relativeError: Double?
    /// Whether it has the least error of those under its relation.
    var isRecommended = false

    /// Whether this is DP-SGD.
    var isIndependent: Bool { strategy == nil }

    /// The sampler's kind.
    var samplingKind: String { plan.sampling.kind }

    private let plan: PrivacyPlan
    private let epsilon: Double
    private let participations: Int
    /// Nil for independent noise.
    private let strategy: StrategyReport?

    /// The numbers of a plan for `way`.
    ///
    /// - Parameter independentError: the error of DP-SGD under the same relation; nil for DP-SGD itself.
    init(_ way: NoiseWay, plan: PrivacyPlan, independentError: Double?) throws {
        name = way.name
        sampling = way.sampling.kind + (way.detail.isEmpty ? "" : ", \(way.detail)")
        relation = way.relation
        bands = way.bands
        self.plan = plan
        epsilon = try plan.epsilon()
        participations = try plan.sampling.participation(in: plan.iterations).mostParticipations
        strategy = StrategyReport(of: plan, independentError: independentError)
        predictedError = strategy?.predictedError ?? plan.predictedError(steps: plan.iterations)
        relativeError = strategy == nil ? 1 : independentError.map { [predictedError] in predictedError / $0 }
    }

    /// Writes all numbers; what a row does not have is null.
    func encode(to encoder: any Encoder) throws {
        func number(_ value: Double?) -> JSONValue { value.map { JSONValue($0) } ?? .null }
        let keys: [String: JSONValue] = [
            "strategy": .text(name), "kind": strategy.map { .text($0.kind) } ?? .null,
            "sampling": .text(samplingKind), "bands": strategy.map { .integer($0.bands) } ?? .integer(1),
            "participations": .integer(participations),
            "separation": strategy.map { .integer($0.separation) } ?? .integer(1),
            "columnNorm": number(strategy?.columnNorm ?? 1), "sensitivity": number(strategy?.sensitivity),
            "noiseMultiplier": number(plan.noiseMultiplier), "predictedError": number(predictedError),
            "relativeError": number(relativeError),
            "bytesPerParameter": .integer(strategy?.bytesPerParameter ?? 0),
            "isRecommended": .flag(isRecommended), "iterations": .integer(plan.iterations),
            "expectedBatchSize": number(plan.normalizeBy), "epsilon": number(epsilon), "delta": number(plan.delta),
            "relation": .text(relation.rawValue), "accountant": .text(plan.accountant.rawValue),
        ]
        try JSONValue.object(keys).encode(to: encoder)
    }

    static func show(_ rows: [NoiseRow], as format: OutputFormat) throws {
        let columns: [RecordTable<NoiseRow>.Column] = [
            .words("strategy") { $0.name },
            .words("sampling") { $0.sampling },
            .numbers("z") { shortest($0.plan.noiseMultiplier) },
            .numbers("‖C‖") { Decimals.text($0.strategy?.columnNorm ?? 1) },
            .numbers("sens(C)") { $0.strategy?.sensitivity.map(Decimals.text) ?? "–" },
            .numbers("error") { Decimals.text($0.predictedError) },
            .numbers("of DP-SGD's") { $0.relativeError.map(Decimals.text) ?? "–" },
            .numbers("bytes") { "\($0.strategy?.bytesPerParameter ?? 0)" },
            .words("relation") { $0.relation.rawValue },
            .words("recommended") { $0.isRecommended ? "yes" : "" },
        ]
        try RecordTable(rows, columns: columns).print(as: format)
    }
}
