import PrivateTraining

@testable import PrivacyAuditing

/// A claim, and a lower bound at 99.9 %.
struct AuditFinding {
    let epsilon: Double
    let delta: Double
    let bound: EpsilonLowerBound

    init(_ audit: PrivacyAudit, _ scores: CanaryScores, threshold: ThresholdChoice? = nil) throws {
        epsilon = try audit.plan.epsilon()
        delta = audit.plan.delta
        bound = try audit.epsilonLowerBound(
            scores, audit.usualStatistic, confidence: 0.999, threshold: threshold)
    }

    var survived: Bool { bound.epsilon <= epsilon }
}
