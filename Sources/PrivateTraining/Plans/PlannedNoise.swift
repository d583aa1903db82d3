import PrivacyAccounting
import PrivacyMechanisms
import Requirements

/// How a plan's sums are made private: a noise mechanism, or correlated noise whose strategy is fitted to the plan.
///
///     try PrivacyPlan(
///         sampling: .ballsInBins(sampler), iterations: 1000, clipping: .flat(l2ClipNorm: 1), budget: .epsilon(2),
///         delta: 1e-5, noise: .correlated(.blt()))
///
/// The steps of a fitted strategy are those of the plan, and who takes part in them is what its sampler says: neither
/// can be given beside it. What is made is a ``/PrivacyMechanisms/NoiseScheme`` with the strategy's numbers, which is
/// what the plan has, promises and writes.
public struct PlannedNoise: Hashable, Sendable {
    private enum Form: Hashable, Sendable {
        case scheme(NoiseScheme)
        case request(Request)
    }

    /// A strategy that is to be fitted.
    private struct Request: Hashable, Sendable {
        var strategy: StrategyRequest
        var workload: StrategyWorkload
        var objective: StrategyGoal.Objective
        var restartEvery: Int?
    }

    private let form: Form

    /// Noise of a mechanism, as it is.
    public init(_ scheme: NoiseScheme) { form = .scheme(scheme) }

    /// Independent discrete Gaussian noise on exact sums in every step.
    public static var discreteGaussian: PlannedNoise { PlannedNoise(.discreteGaussian) }

    /// Independent Gaussian noise in every step, in floating point: for comparison.
    ///
    /// - Warning: the low-order bits of its sums and normals can tell neighbouring data apart; ε does not cover this.
    public static var floatingPointGaussian: PlannedNoise { PlannedNoise(.floatingPointGaussian) }

    /// Noise that is correlated over steps by `strategy`, which has to be for at least as many steps as the plan has;
    /// with `restarts`, it begins anew when its steps have been taken.
    public static func correlated(_ strategy: CorrelationStrategy, restarts: Bool = false) -> PlannedNoise {
        PlannedNoise(.correlated(strategy, restarts: restarts))
    }

    /// Noise that is correlated over steps by the best strategy of a kind for the plan's steps and participation.
    ///
    /// - `workload`: what the optimizer makes of the noisy gradients.
    /// - `objective`: which of its errors counts.
    /// - `restartEvery`: after how many steps the strategy begins anew; nil for one strategy over all of them. An
    ///   optimizer may change its transform where a strategy begins, and nowhere else.
    public static func correlated(
        _ strategy: StrategyRequest, workload: StrategyWorkload = .prefixSums,
        objective: StrategyGoal.Objective = .mean, restartEvery: Int? = nil
    ) -> PlannedNoise {
        PlannedNoise(
            form: .request(
                Request(strategy: strategy, workload: workload, objective: objective, restartEvery: restartEvery)))
    }

    private init(form: Form) { self.form = form }

    /// The most bands that its strategy has or will have, `Int.max` for a kind without bands; nil where noise is
    /// independent.
    package var mostBands: Int? {
        switch form {
        case .scheme(let scheme): scheme.correlation?.strategy.bands
        case .request(let request):
            switch request.strategy {
            case .identity: 1
            case .bandedToeplitz(let bands): bands
            case .bandedInverse, .blt, .dense: .max
            }
        }
    }

    /// The mechanism for runs with this participation.
    ///
    /// - Parameter fit: makes a strategy; a cache may stand before it.
    func scheme(
        for pattern: ParticipationPattern, fit: (StrategyRequest, StrategyGoal) throws -> CorrelationStrategy
    ) throws -> NoiseScheme {
        switch form {
        case .scheme(let scheme): return scheme
        case .request(let request):
            if let every = request.restartEvery, every < 1 {
                throw PlanError.outOfRange(name: "restartEvery", value: "\(every)", allowed: "at least 1")
            }
            let steps = min(request.restartEvery ?? .max, max(1, pattern.iterations))
            let goal = try StrategyGoal(
                steps: steps, participation: pattern.strategyParticipation, workload: request.workload,
                objective: request.objective)
            return .correlated(try fit(request.strategy, goal), restarts: steps < pattern.iterations)
        }
    }
}

extension PlannedNoise: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, strategy, workload, objective, restartEvery
    }

    private enum StrategyKeys: String, CodingKey {
        case steps, rows
    }

    /// Reads a ``/PrivacyMechanisms/NoiseScheme``, or `"kind": "correlated"` with a request as its `strategy`: one that
    /// has neither `steps` nor `rows`.
    ///
    ///     {"kind": "correlated", "strategy": {"kind": "blt", "buffers": 3}, "objective": "max"}
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        if try box.decodeIfPresent(String.self, forKey: .kind) == NoiseScheme.correlatedKind,
            let strategy = try? box.nestedContainer(keyedBy: StrategyKeys.self, forKey: .strategy),
            !strategy.contains(.steps), !strategy.contains(.rows)
        {
            try decoder.refuseUnknownKeys(CodingKeys.self)
            self = .correlated(
                try box.decode(StrategyRequest.self, forKey: .strategy),
                workload: try box.decodeIfPresent(StrategyWorkload.self, forKey: .workload) ?? .prefixSums,
                objective: try box.decodeChoiceIfPresent(StrategyGoal.Objective.self, forKey: .objective) ?? .mean,
                restartEvery: try box.decodeIfPresent(Int.self, forKey: .restartEvery))
        } else {
            self.init(try NoiseScheme(from: decoder))
        }
    }

    /// Writes what is read; defaults of a request are left out.
    public func encode(to encoder: any Encoder) throws {
        switch form {
        case .scheme(let scheme): try scheme.encode(to: encoder)
        case .request(let request):
            var box = encoder.container(keyedBy: CodingKeys.self)
            try box.encode(NoiseScheme.correlatedKind, forKey: .kind)
            try box.encode(request.strategy, forKey: .strategy)
            if request.workload != .prefixSums { try box.encode(request.workload, forKey: .workload) }
            if request.objective != .mean { try box.encode(request.objective, forKey: .objective) }
            try box.encodeIfPresent(request.restartEvery, forKey: .restartEvery)
        }
    }
}
