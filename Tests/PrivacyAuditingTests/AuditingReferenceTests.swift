import Testing
import _TestSupport

@testable import PrivacyAuditing

/// `auditing.json`: jax_privacy's bounds at thresholds that were given, and its measures of the attack.
@Suite struct AuditingReferenceTests {
    struct File: Decodable {
        let cases: [Case]
    }

    struct Case: Decodable {
        let included, excluded: [Double]
        let significance, delta, area, accuracy, truePositiveRate: Double
        let thresholds: [Row]

        enum CodingKeys: String, CodingKey {
            case significance, delta, thresholds
            case included = "in"
            case excluded = "out"
            case area = "auroc_f64"
            case accuracy = "max_accuracy_f64"
            case truePositiveRate = "tpr_at_fpr_0.1_f64"
        }
    }

    struct Row: Decodable {
        let threshold, clopperPearson, oneRun, oneRunGaussian: Double

        enum CodingKeys: String, CodingKey {
            case threshold
            case clopperPearson = "clopper_pearson_f64"
            case oneRun = "one_run_f64"
            case oneRunGaussian = "one_run_fdp_f64"
        }
    }

    let cases: [Case]

    init() throws { cases = try ReferenceValues.load("auditing.json", as: File.self).cases }

    /// The references stop their searches at 10⁻⁴ or earlier.
    private func agree(_ ours: Double, _ theirs: Double) -> Bool { abs(ours - theirs) <= 1e-4 * theirs }

    @Test func oneRunMatches() throws {
        for one in cases {
            let scores = try CanaryScores(included: one.included, excluded: one.excluded)
            for row in one.thresholds {
                func bound(_ statistic: AuditStatistic, confidence: Double) throws -> Double {
                    try scores.epsilonLowerBound(
                        statistic, delta: one.delta, confidence: confidence, threshold: .given(row.threshold)
                    ).epsilon
                }
                #expect(try agree(bound(.oneRun, confidence: 1 - one.significance), row.oneRun))
                #expect(try agree(bound(.oneRunGaussian, confidence: 1 - one.significance), row.oneRunGaussian))
                // Control: half the significance.
                let off = try bound(.oneRunGaussian, confidence: 1 - one.significance / 2)
                #expect(!agree(off, row.oneRunGaussian))
            }
        }
    }

    /// The reference takes false positives for the small rate only. Ours is the better of both directions.
    @Test func clopperPearsonMatches() throws {
        for one in cases {
            let scores = try CanaryScores(included: one.included, excluded: one.excluded)
            for row in one.thresholds {
                let guesses = scores.guesses(above: row.threshold)
                let limits = ClopperPearsonLimits(guesses, significance: one.significance)
                let (positive, negative) = (limits.falsePositiveRate, limits.falseNegativeRate)
                let forward = ClopperPearsonLimits.epsilon(delta: one.delta, small: positive, other: negative)
                let backward = ClopperPearsonLimits.epsilon(delta: one.delta, small: negative, other: positive)
                #expect(agree(forward, row.clopperPearson))
                let bound = try scores.epsilonLowerBound(
                    .clopperPearson, delta: one.delta, confidence: 1 - one.significance,
                    threshold: .given(row.threshold))
                #expect(agree(bound.epsilon, max(forward, backward)))
            }
        }
    }

    /// Rates are quotients of counts, summed up at most 10⁴ times. The reference's area is the one under the hull,
    /// which overstates the probability of an ordered pair.
    @Test func measuresMatch() throws {
        for one in cases {
            let scores = try CanaryScores(included: one.included, excluded: one.excluded)
            let rate = AttackMeasure.truePositiveRate(atFalsePositiveRate: 0.1)
            #expect(abs(AttackCurve.area(under: AttackCurve(scores).hull) - one.area) < 1e4 * 0x1p-52)
            #expect(try scores.value(of: .areaUnderCurve) < one.area)
            #expect(try abs(scores.value(of: .accuracy) - one.accuracy) < 0x1p-50)
            #expect(try abs(scores.value(of: rate) - one.truePositiveRate) < 0x1p-46)
        }
    }
}
