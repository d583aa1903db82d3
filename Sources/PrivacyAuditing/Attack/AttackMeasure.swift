/// How well an attack tells included canaries from excluded ones. It describes the attack, and proves nothing.
public enum AttackMeasure: Hashable, Sendable {
    /// The area under the ROC curve: the probability that an included canary has the larger score, ties counted half.
    case areaUnderCurve
    /// The true positive rate at a false positive rate in [0, 1], on the concave hull of the ROC curve.
    case truePositiveRate(atFalsePositiveRate: Double)
    /// The accuracy at the best threshold, both kinds weighted alike: max (1 + TPR − FPR)/2.
    case accuracy

    func value(on scores: CanaryScores) -> Double {
        let curve = AttackCurve(scores)
        return switch self {
        case .areaUnderCurve: AttackCurve.area(under: curve.corners)
        case .truePositiveRate(let rate): curve.truePositiveRate(at: rate)
        case .accuracy: curve.accuracy
        }
    }

    func check() throws(AuditingError) {
        if case .truePositiveRate(let rate) = self { try Check.probability(rate, "falsePositiveRate") }
    }
}
