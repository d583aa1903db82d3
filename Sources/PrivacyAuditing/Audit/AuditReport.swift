import PrivacyAccounting
import PrivateTraining

/// What an audit found, beside what the plan promises.
public struct AuditReport: Sendable {
    /// The accountant's ε: the claim.
    public let epsilon: Double
    /// δ of claim and bounds.
    public let delta: Double
    /// The bound that decides: its statistic was chosen before the run.
    public let bound: EpsilonLowerBound
    /// Bounds by all statistics, each at its own confidence: to look at. The largest of them is worth less.
    public let bounds: [EpsilonLowerBound]
    /// How many canaries there were in all runs.
    public let canaryCount: Int
    /// The area under the ROC curve: how well the attack told canaries apart.
    public let areaUnderCurve: BootstrapInterval

    /// Whether the claim may be true: the bound is not above ε.
    public var survived: Bool { bound.epsilon <= epsilon }

    /// - Parameters:
    ///   - scores: those of all runs together.
    ///   - statistic: what decides; nil for ``PrivacyAudit/usualStatistic()``. Choose before you see scores.
    ///   - confidence: of each bound, in (0, 1).
    ///   - threshold: nil for ``PrivacyAudit/usualThreshold(of:)``.
    /// - Throws: ``AuditingError``, and `AccountingError` for a plan without an ε.
    public init(
        _ audit: PrivacyAudit, _ scores: CanaryScores, statistic: AuditStatistic? = nil, confidence: Double = 0.95,
        threshold: ThresholdChoice? = nil
    ) throws {
        let plan = audit.plan
        let statistic = try statistic ?? audit.usualStatistic()
        var generator = AuditGenerator(nonPrivateSeed: audit.nonPrivateSeed)
        epsilon = try plan.epsilon()
        delta = plan.delta
        canaryCount = scores.count
        func bound(_ statistic: AuditStatistic) throws -> EpsilonLowerBound {
            try scores.epsilonLowerBound(
                statistic, delta: plan.delta, confidence: confidence,
                threshold: threshold ?? audit.usualThreshold(of: statistic), using: &generator)
        }
        let deciding = try bound(statistic)
        self.bound = deciding
        bounds = try AuditStatistic.allCases.compactMap {
            if $0 == statistic { return deciding }
            return $0.isGaussian && plan.delta == 0 ? nil : try bound($0)
        }
        areaUnderCurve = try scores.interval(
            of: .areaUnderCurve, confidence: confidence, samples: 200, using: &generator)
    }
}

extension PrivacyAudit {
    /// The statistic that fits the audit, whatever its scores will be.
    ///
    /// - Gradients under a plan whose steps are Gaussian together, with nothing amplified: the exact tail of the family
    ///   that the plan claims to be in.
    /// - Other gradients: Clopper–Pearson limits. In noise that is independent, orthogonal canaries have independent
    ///   scores, so that a claim which they refute is false.
    /// - Labels: one run, which takes nothing for granted.
    public func usualStatistic() throws -> AuditStatistic {
        guard case .gradient = kind else { return .oneRun }
        return try plan.delta > 0 && plan.event().isGaussian ? .exactTail : .clopperPearson
    }

    /// The threshold that needs no look at scores: likelihoods that are equal. Elsewhere all scores, corrected for.
    public func usualThreshold(of statistic: AuditStatistic) -> ThresholdChoice {
        if statistic == .exactTail, case .gradient(_, .likelihoodRatio) = kind { return .given(0) }
        return .corrected
    }
}

extension PrivacyEvent {
    /// Whether it is Gaussian mechanisms and nothing else, which compose to one.
    fileprivate var isGaussian: Bool {
        switch self {
        case .gaussian: true
        case .selfComposed(let event): event.event.isGaussian
        case .composed(let event): event.events.allSatisfy(\.isGaussian)
        case .poissonSampled(let event): event.probability == 1 && event.event.isGaussian
        default: false
        }
    }
}

extension AuditStatistic {
    /// What a bound by this statistic takes for granted, in a few words.
    public var premise: String {
        switch self {
        case .clopperPearson: "independent scores"
        case .gaussian: "independent scores, μ-GDP"
        case .oneRun: "nothing"
        case .oneRunGaussian: "μ-GDP"
        case .exactTail: "independent scores, μ-GDP"
        }
    }
}
