import PrivacyAccounting
import PrivacyMechanisms

/// The wish for a plan, as a person writes it down; what it leaves open is made up for when the plan is made.
///
///     {"exampleCount": 60000, "expectedBatchSize": 600, "epochs": 20,
///      "clipping": {"method": "threshold", "l2ClipNorm": 1}, "epsilon": 2, "delta": 1e-5}
///
/// `sampling` may stand in the place of `exampleCount` and `expectedBatchSize`, which mean Poisson sampling;
/// `iterations` in that of `epochs`; `noiseMultiplier` in that of `epsilon`. With both of the last two the noise is
/// checked against the budget. `relation`, `unit`, `accountant` and `noise` have the defaults of
/// ``PrivacyPlan/init(sampling:iterations:clipping:budget:delta:relation:unit:accountant:noise:)``.
public struct PlanRequest: Hashable, Sendable, Encodable {
    /// How batches are drawn, where it is not Poisson sampling by expected batch size.
    public var sampling: SamplingScheme?
    /// The size of the data set; nil where it is known from the data.
    public var exampleCount: Int?
    /// The expected batch size of Poisson sampling.
    public var expectedBatchSize: Double?
    /// The number of steps.
    public var iterations: Int?
    /// The number of steps, in data sets.
    public var epochs: Double?
    /// How contributions are bounded.
    public var clipping: PlannedClipping
    /// The ε to stay within.
    public var epsilon: Double?
    /// Noise standard deviation over sensitivity.
    public var noiseMultiplier: Double?
    /// The δ that goes with ε.
    public var delta: Double
    /// What neighbouring data sets differ in.
    public var relation: NeighboringRelation?
    /// Whose presence is hidden.
    public var unit: PrivacyUnit?
    /// Who computes ε.
    public var accountant: PlanAccountant?
    /// How sums are made private.
    public var noise: NoiseScheme?

    /// A wish for `clipping` and `delta`, all else to be filled in.
    public init(clipping: PlannedClipping, delta: Double) {
        self.clipping = clipping
        self.delta = delta
    }

    /// The plan, for a data set of `count` examples where the wish does not say how many there are.
    ///
    /// Throws what making the plan throws; ``PlanError/ambiguous(choices:given:)`` for what is said twice or not at
    /// all, and ``PlanError/overBudget(noiseMultiplier:epsilon:budget:delta:)``.
    public func plan(exampleCount count: Int? = nil) throws -> PrivacyPlan {
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
        let plan = try PrivacyPlan(
            sampling: scheme, iterations: steps, clipping: clipping, budget: budget, delta: delta,
            relation: relation ?? .addOrRemoveOne, unit: unit ?? .example, accountant: accountant ?? .pld,
            noise: noise ?? .gaussian)
        return try epsilon.map { try plan.within(budget: $0) } ?? plan
    }

    /// Whether it is the first of the two that was given; throws unless exactly one was.
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
        case relation, unit, accountant, noise
    }

    /// Reads a wish. Throws `DecodingError` for keys it does not know: a misspelt one must not fall back to a default.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        sampling = try box.decodeIfPresent(SamplingScheme.self, forKey: .sampling)
        exampleCount = try box.decodeIfPresent(Int.self, forKey: .exampleCount)
        expectedBatchSize = try box.decodeIfPresent(Double.self, forKey: .expectedBatchSize)
        iterations = try box.decodeIfPresent(Int.self, forKey: .iterations)
        epochs = try box.decodeIfPresent(Double.self, forKey: .epochs)
        clipping = try box.decode(PlannedClipping.self, forKey: .clipping)
        epsilon = try box.decodeIfPresent(Double.self, forKey: .epsilon)
        noiseMultiplier = try box.decodeIfPresent(Double.self, forKey: .noiseMultiplier)
        delta = try box.decode(Double.self, forKey: .delta)
        relation = try box.decodeChoiceIfPresent(NeighboringRelation.self, forKey: .relation)
        unit = try box.decodeChoiceIfPresent(PrivacyUnit.self, forKey: .unit)
        accountant = try box.decodeChoiceIfPresent(PlanAccountant.self, forKey: .accountant)
        noise = try box.decodeIfPresent(NoiseScheme.self, forKey: .noise)
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
    /// - Warning: of ``UserSampler`` that is who owns which example, too. What may be published is ``PrivacyReport``.
    public func encode(to encoder: any Encoder) throws {
        try request.encode(to: encoder)
    }

    /// The wish that this very plan, and no other, is made of.
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
        request.noise = noise == .gaussian ? nil : noise
        return request
    }
}
