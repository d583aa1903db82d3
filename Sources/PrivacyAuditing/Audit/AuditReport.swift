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
    ///   - audit: what the scores are of.
    ///   - scores: those of all runs together.
    ///   - statistic: what decides; nil for ``PrivacyAudit/usualStatistic``. Choose before you see scores.
    ///   - confidence: of each bound, in (0, 1).
    ///   - threshold: nil for ``PrivacyAudit/usualThreshold(of:)``.
    /// - Throws: ``AuditingError``, and `AccountingError` for a plan without an ε.
    public init(
        _ audit: PrivacyAudit, _ scores: CanaryScores, statistic: AuditStatistic? = nil, confidence: Double = 0.95,
        threshold: ThresholdChoice? = nil
    ) throws {
        let plan = audit.plan
        let statistic = statistic ?? audit.usualStatistic
        var generator = AuditGenerator(.bounds, nonPrivateSeed: audit.nonPrivateSeed)
        epsilon = try plan.epsilon()
        delta = plan.delta
        canaryCount = scores.count
        func bound(_ statistic: AuditStatistic) throws -> EpsilonLowerBound {
            try audit.epsilonLowerBound(
                scores, statistic, confidence: confidence, threshold: threshold, using: &generator)
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

extension AuditStatistic {
    /// What a bound by this statistic takes for granted, in a few words.
    public var premise: String {
        switch self {
        case .clopperPearson: "independent scores"
        case .gaussian: "independent scores, μ-GDP"
        case .oneRun: "nothing"
        case .oneRunGaussian: "μ-GDP"
        case .exactTail: "independent scores, μ-GDP"
        case .planFamily: "independent scores, the plan's kind of noise"
        }
    }
}
