import PrivacyAccounting
import PrivacyMechanisms
import Requirements

/// A plan that is not complete yet: what a configuration file says, and may leave open.
///
///     {"exampleCount": 60000, "expectedBatchSize": 600, "epochs": 20,
///      "clipping": {"method": "threshold", "l2ClipNorm": 1}, "epsilon": 2, "delta": 1e-5}
///
/// `exampleCount` and `expectedBatchSize` mean Poisson sampling; `sampling` replaces them. `iterations` replaces
/// `epochs`, and `noiseMultiplier` replaces `epsilon`; if both of these are given, the noise is checked against the
/// budget. `relation`, `unit`, `accountant` and `noise` have the defaults of
/// ``PrivacyPlan/init(sampling:iterations:clipping:budget:delta:relation:unit:accountant:noise:normalization:fit:)``.
public struct PlanRequest: Hashable, Sendable, Encodable {
    /// The sampler; nil for Poisson sampling by expected batch size.
    public var sampling: SamplingScheme?
    /// The size of the data set; nil where it is known from the data.
    public var exampleCount: Int?
    /// The expected batch size of Poisson sampling.
    public var expectedBatchSize: Double?
    /// The number of steps.
    public var iterations: Int?
    /// The number of epochs: how often all steps draw each unit, an example or a user, on average.
    public var epochs: Double?
    /// How contributions are bounded.
    public var clipping: PlannedClipping?
    /// The ε to stay within.
    public var epsilon: Double?
    /// Noise standard deviation over sensitivity.
    public var noiseMultiplier: Double?
    /// The δ that goes with ε.
    public var delta: Double?
    /// What neighbouring data sets differ in.
    public var relation: NeighboringRelation?
    /// Whose presence is hidden.
    public var unit: PrivacyUnit?
    /// Who computes ε.
    public var accountant: PlanAccountant?
    /// How sums are made private.
    public var noise: PlannedNoise?
    /// The release of the features' means and variances; nil for none.
    public var normalization: PrivateNormalization?

    /// A request with everything else open.
    public init(clipping: PlannedClipping? = nil, delta: Double? = nil) {
        self.clipping = clipping
        self.delta = delta
    }

    /// Makes the plan; `count` is the number of examples if the request does not give one.
    ///
    /// Throws what making the plan throws, ``PlanError/ambiguous(choices:given:)`` for a setting that is given twice or
    /// not at all, ``PlanError/missing(_:)``, and ``PlanError/overBudget(noiseMultiplier:epsilon:budget:delta:)``.
    public func plan(
        exampleCount count: Int? = nil,
        fit: (StrategyRequest, StrategyGoal) throws -> CorrelationStrategy = { try $0.fitted(to: $1) }
    ) throws -> PrivacyPlan {
        let scheme: SamplingScheme
        if try one("sampling", sampling, or: "expectedBatchSize", expectedBatchSize), let sampling {
            if let exampleCount { try match(exampleCount, sampling.exampleCount) }
            scheme = sampling
        } else {
            guard let examples = exampleCount ?? count else {
                throw PlanError.ambiguous(choices: ["exampleCount", "sampling"], given: [])
            }
            scheme = try PrivacyPlan.poisson(exampleCount: examples, expectedBatchSize: expectedBatchSize ?? .nan)
        }
        if let count { try match(scheme.exampleCount, count) }
        let isCounted = try one("iterations", iterations, or: "epochs", epochs)
        let steps = try isCounted ? iterations ?? 0 : PrivacyPlan.iterations(epochs: epochs ?? .nan, of: scheme)
        let budget: PrivacyPlan.Budget
        switch (epsilon, noiseMultiplier) {
        case (_, let z?): budget = .noiseMultiplier(z)
        case (let epsilon?, nil): budget = .epsilon(epsilon)
        case (nil, nil): throw PlanError.ambiguous(choices: ["epsilon", "noiseMultiplier"], given: [])
        }
        guard let clipping else { throw PlanError.missing("clipping") }
        guard let delta else { throw PlanError.missing("delta") }
        let plan = try PrivacyPlan(
            sampling: scheme, iterations: steps, clipping: clipping, budget: budget, delta: delta,
            relation: relation ?? .addOrRemoveOne, unit: unit ?? .example, accountant: accountant ?? .pld,
            noise: noise ?? .discreteGaussian, normalization: normalization, fit: fit)
        return try epsilon.map { try plan.within(budget: $0) } ?? plan
    }

    /// Whether the first of the two was given. Throws unless exactly one was.
    private func one(_ name: String, _ first: (some Any)?, or other: String, _ second: (some Any)?) throws -> Bool {
        guard (first != nil) != (second != nil) else {
            throw PlanError.ambiguous(choices: [name, other], given: first == nil ? [] : [name, other])
        }
        return first != nil
    }

    private func match(_ planned: Int, _ found: Int) throws {
        guard planned == found else { throw PlanError.dataSetSizeMismatch(planned: planned, found: found) }
    }
}

extension PlanRequest: Decodable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case sampling, exampleCount, expectedBatchSize, iterations, epochs, clipping, epsilon, noiseMultiplier, delta
        case relation, unit, accountant, noise, normalization
    }

    /// Reads a request. Throws `DecodingError` for an unknown key: a misspelt one must not fall back to a default.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        sampling = try box.decodeIfPresent(SamplingScheme.self, forKey: .sampling)
        exampleCount = try box.decodeIfPresent(Int.self, forKey: .exampleCount)
        expectedBatchSize = try box.decodeIfPresent(Double.self, forKey: .expectedBatchSize)
        iterations = try box.decodeIfPresent(Int.self, forKey: .iterations)
        epochs = try box.decodeIfPresent(Double.self, forKey: .epochs)
        clipping = try box.decodeIfPresent(PlannedClipping.self, forKey: .clipping)
        epsilon = try box.decodeIfPresent(Double.self, forKey: .epsilon)
        noiseMultiplier = try box.decodeIfPresent(Double.self, forKey: .noiseMultiplier)
        delta = try box.decodeIfPresent(Double.self, forKey: .delta)
        relation = try box.decodeChoiceIfPresent(NeighboringRelation.self, forKey: .relation)
        unit = try box.decodeChoiceIfPresent(PrivacyUnit.self, forKey: .unit)
        accountant = try box.decodeChoiceIfPresent(PlanAccountant.self, forKey: .accountant)
        noise = try box.decodeIfPresent(PlannedNoise.self, forKey: .noise)
        normalization = try box.decodeIfPresent(PrivateNormalization.self, forKey: .normalization)
    }
}

extension PrivacyPlan: Codable {
    /// Reads a plan, or a ``PlanRequest`` that says how many examples there are, and makes the plan.
    public init(from decoder: any Decoder) throws {
        self = try PlanRequest(from: decoder).plan()
    }

    /// Writes all that the plan promises, in one form only: sampler, steps, noise multiplier, and the budget if there
    /// was one.
    ///
    /// - Warning: with a ``/PrivacyMechanisms/UserSampler`` this includes who owns which example. Publish the
    ///   ``PrivacyReport`` instead.
    public func encode(to encoder: any Encoder) throws {
        try request.encode(to: encoder)
    }

    /// The complete request that makes exactly this plan.
    public var request: PlanRequest {
        var request = PlanRequest(clipping: clipping, delta: delta)
        request.sampling = sampling
        request.iterations = iterations
        request.epsilon = epsilonBudget
        request.noiseMultiplier = noiseMultiplier
        request.relation = relation
        request.unit = unit
        request.accountant = accountant
        // Left out where it is the default: a plan has one form.
        request.noise = noise == .discreteGaussian ? nil : PlannedNoise(noise)
        request.normalization = normalization
        return request
    }
}
