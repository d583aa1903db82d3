import PrivacyAccounting
import PrivacyMechanisms

extension PrivacyPlan: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case sampling, exampleCount, expectedBatchSize, iterations, epochs, clipping, epsilon, noiseMultiplier, delta
        case relation, unit, accountant
    }

    /// Reads a plan, or the wish for one.
    ///
    ///     {"exampleCount": 60000, "expectedBatchSize": 600, "epochs": 20,
    ///      "clipping": {"method": "threshold", "l2ClipNorm": 1}, "epsilon": 2, "delta": 1e-5}
    ///
    /// `sampling` may stand in the place of `exampleCount` and `expectedBatchSize`, which mean Poisson sampling;
    /// `iterations` in that of `epochs`; `noiseMultiplier` in that of `epsilon`. With both of the last two, as
    /// ``encode(to:)`` writes them, the noise is checked against the budget. `relation`, `unit` and `accountant` have the
    /// defaults of ``init(sampling:iterations:clipping:budget:delta:relation:unit:accountant:)``.
    ///
    /// Throws what making the plan throws, ``PlanError/ambiguous(choices:given:)`` and
    /// ``PlanError/overBudget(noiseMultiplier:epsilon:budget:delta:)``; `DecodingError` for keys it does not know: a
    /// misspelt one must not fall back to a default.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let sampling: SamplingScheme
        switch try box.exactlyOne(of: [.sampling, .exampleCount]) {
        case .sampling: sampling = try box.decode(SamplingScheme.self, forKey: .sampling)
        default:
            sampling = try Self.poisson(
                exampleCount: box.decode(Int.self, forKey: .exampleCount),
                expectedBatchSize: box.decode(Double.self, forKey: .expectedBatchSize))
        }
        let iterations: Int
        switch try box.exactlyOne(of: [.iterations, .epochs]) {
        case .iterations: iterations = try box.decode(Int.self, forKey: .iterations)
        default: iterations = try Self.iterations(epochs: box.decode(Double.self, forKey: .epochs), of: sampling)
        }
        let epsilon = try box.decodeIfPresent(Double.self, forKey: .epsilon)
        let noiseMultiplier = try box.decodeIfPresent(Double.self, forKey: .noiseMultiplier)
        let budget: Budget
        switch (epsilon, noiseMultiplier) {
        case (_, let z?): budget = .noiseMultiplier(z)
        case (let epsilon?, nil): budget = .epsilon(epsilon)
        case (nil, nil): throw PlanError.ambiguous(choices: ["epsilon", "noiseMultiplier"], given: [])
        }
        let plan = try PrivacyPlan(
            sampling: sampling, iterations: iterations,
            clipping: box.decode(PlannedClipping.self, forKey: .clipping), budget: budget,
            delta: box.decode(Double.self, forKey: .delta),
            relation: box.decodeIfPresent(NeighboringRelation.self, forKey: .relation) ?? .addOrRemoveOne,
            unit: box.decodeIfPresent(PrivacyUnit.self, forKey: .unit) ?? .example,
            accountant: box.decodeIfPresent(PlanAccountant.self, forKey: .accountant) ?? .pld)
        self = try epsilon.map { try plan.within(budget: $0) } ?? plan
    }

    /// Writes all that the plan promises, in one form only: sampler, steps, noise multiplier, and the budget if there was
    /// one.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(sampling, forKey: .sampling)
        try box.encode(iterations, forKey: .iterations)
        try box.encode(clipping, forKey: .clipping)
        try box.encodeIfPresent(epsilonBudget, forKey: .epsilon)
        try box.encode(noiseMultiplier, forKey: .noiseMultiplier)
        try box.encode(delta, forKey: .delta)
        try box.encode(relation, forKey: .relation)
        try box.encode(unit, forKey: .unit)
        try box.encode(accountant, forKey: .accountant)
    }
}

extension Decoder {
    /// Throws `DecodingError.dataCorrupted`, which names key and alternatives, for a key that `Key` does not have.
    func refuseUnknownKeys<Key: CodingKey & CaseIterable>(_: Key.Type) throws {
        let known = Set(Key.allCases.map(\.stringValue))
        for key in try container(keyedBy: AnyCodingKey.self).allKeys where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath + [key],
                    debugDescription: "There is no setting '\(key.stringValue)'; known are "
                        + known.sorted().joined(separator: ", ") + "."))
        }
    }
}

extension KeyedDecodingContainer {
    /// The one key of `choices` that is there; throws ``PlanError/ambiguous(choices:given:)`` if it is not one.
    func exactlyOne(of choices: [Key]) throws -> Key {
        let given = choices.filter(contains)
        guard given.count == 1 else {
            throw PlanError.ambiguous(choices: choices.map(\.stringValue), given: given.map(\.stringValue))
        }
        return given[0]
    }
}

/// Any key at all.
struct AnyCodingKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
