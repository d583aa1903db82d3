import PrivacyAccounting
import PrivateTraining

extension PrivacyAudit {
    /// The statistic that fits the audit, whatever its scores will be.
    ///
    /// - Gradients: the plan's own family. Canaries in orthogonal directions have independent scores where noise is
    ///   independent, and examples are drawn independently of each other; of samplers that draw a fixed number the
    ///   scores depend on each other a little.
    /// - Labels: one run, which takes nothing for granted.
    public var usualStatistic: AuditStatistic {
        if case .gradient = kind { .planFamily } else { .oneRun }
    }

    /// The threshold that needs no look at scores, likelihoods that are equal, for statistics that count mistakes.
    /// Elsewhere all scores, corrected for.
    public func usualThreshold(of statistic: AuditStatistic) -> ThresholdChoice {
        if [.exactTail, .planFamily].contains(statistic), case .gradient(_, .likelihoodRatio) = kind {
            return .given(0)
        }
        return .corrected
    }

    /// A lower bound on the ε of what ran, at the plan's δ.
    ///
    /// ``AuditStatistic/planFamily`` asks which noise multipliers of the plan would have let so few mistakes happen. A
    /// guess about a fair coin is wrong with a probability of (1 − δ(0))/2 at least, with δ(0) the plan's δ at ε = 0,
    /// its total variation; of independent guesses there are binomially many mistakes or more. The bound is the ε of
    /// the largest noise multiplier with as large a δ(0) as the mistakes show.
    ///
    /// **Guarantee:** as that of ``CanaryScores/epsilonLowerBound(_:delta:confidence:threshold:using:)``. By the plan's
    /// family, for scores that are independent: if what ran is the plan with another noise multiplier, the bound is
    /// above its ε with a probability of 1 − confidence at most; and if what ran is the plan, the bound is above the
    /// plan's ε with that probability at most. ε's lower end by the privacy loss distribution is taken.
    ///
    /// - `threshold`: nil for ``usualThreshold(of:)``.
    /// - Throws: as that, and `AccountingError`.
    public func epsilonLowerBound(
        _ scores: CanaryScores, _ statistic: AuditStatistic, confidence: Double, threshold: ThresholdChoice? = nil
    ) throws -> EpsilonLowerBound {
        var generator = AuditGenerator(.bounds, nonPrivateSeed: nonPrivateSeed)
        return try epsilonLowerBound(
            scores, statistic, confidence: confidence, threshold: threshold, using: &generator)
    }

    func epsilonLowerBound(
        _ scores: CanaryScores, _ statistic: AuditStatistic, confidence: Double, threshold: ThresholdChoice?,
        using generator: inout AuditGenerator
    ) throws -> EpsilonLowerBound {
        let threshold = threshold ?? usualThreshold(of: statistic)
        guard statistic == .planFamily else {
            return try scores.epsilonLowerBound(
                statistic, delta: plan.delta, confidence: confidence, threshold: threshold, using: &generator)
        }
        let found = try scores.lowerBound(
            ThresholdSearch(statistic: statistic, delta: plan.delta), confidence: confidence, threshold: threshold,
            using: &generator)
        return EpsilonLowerBound(
            epsilon: try PlanFamily(plan).epsilon(totalVariation: found.value), delta: plan.delta, mu: nil,
            statistic: statistic, threshold: found.threshold, confidence: confidence)
    }
}
