import PrivacyAccounting
import Testing
import _TestSupport

@testable import PrivacyAuditing

/// **Guarantee:** a bound exceeds the truth with a probability of 1 − confidence at most: of 2,000 audits of a Gaussian
/// mechanism at 0.5, in 1,000 and five deviations of 22.4.
@Suite struct LowerBoundCoverageTests {
    static let audits = 2000
    static let mostFailures = 1112
    let mu = 1.0
    let delta = 1e-3

    /// Scores of `count` canaries, at least one of each kind.
    private func scores(_ count: Int, using random: inout SeededGenerator) throws -> CanaryScores {
        var scores = ([Double](), [Double]())
        repeat {
            scores = ([], [])
            for _ in 0..<count {
                let score = random.normal()
                if Bool.random(using: &random) { scores.0.append(score + mu) } else { scores.1.append(score) }
            }
        } while scores.0.isEmpty || scores.1.isEmpty
        return try CanaryScores(included: scores.0, excluded: scores.1)
    }

    /// How often bounds exceed the truth. A split that leaves a half empty proves nothing.
    private func failures(
        _ count: Int, bound: (CanaryScores, inout SeededGenerator) throws -> Double
    ) throws -> Int {
        let truth = try GaussianDifferentialPrivacy(mu: mu).epsilon(delta: delta)
        var random = SeededGenerator(seed: 11)
        var result = 0
        for _ in 0..<Self.audits {
            let scores = try scores(count, using: &random)
            if try bound(scores, &random) > truth { result += 1 }
        }
        return result
    }

    /// Without those that need a plan.
    static let statistics = AuditStatistic.allCases.filter { $0 != .planFamily }

    @Test(arguments: statistics, [ThresholdChoice.given(0.7), .split, .corrected])
    func boundsFailAsSeldomAsTheySay(statistic: AuditStatistic, threshold: ThresholdChoice) throws {
        let failed = try failures(threshold == .given(0.7) ? 60 : 16) { scores, random in
            do {
                return try scores.epsilonLowerBound(
                    statistic, delta: delta, confidence: 0.5, threshold: threshold, using: &random
                ).epsilon
            } catch AuditingError.noScores {
                return 0
            }
        }
        #expect(failed <= Self.mostFailures)
    }

    /// The bound of a plan's family is one on δ(0), which is 2Φ(μ/2) − 1.
    @Test(arguments: [ThresholdChoice.given(0.7), .split, .corrected])
    func boundsOfTotalVariationFailAsSeldom(threshold: ThresholdChoice) throws {
        let truth = 2 * Normal.cumulative(mu / 2) - 1
        let search = ThresholdSearch(statistic: .planFamily, delta: delta)
        var random = SeededGenerator(seed: 14)
        var failed = 0
        for _ in 0..<Self.audits {
            let scores = try scores(60, using: &random)
            let bound = try scores.lowerBound(search, confidence: 0.5, threshold: threshold, using: &random)
            if bound.value > truth { failed += 1 }
        }
        #expect(failed <= Self.mostFailures)
        // At the threshold that makes the fewest mistakes, half of the bounds are above it, nearly.
        if threshold == .given(0.7) { #expect(failed > Self.audits / 5) }
    }

    /// Scores alone have no plan.
    @Test func aPlansFamilyNeedsAPlan() throws {
        var random = SeededGenerator(seed: 15)
        let scores = try scores(20, using: &random)
        #expect(throws: AuditingError.needsPlan(statistic: "plan-family")) {
            try scores.epsilonLowerBound(.planFamily, delta: 1e-5, confidence: 0.9, threshold: .corrected)
        }
    }

    /// The broken twin takes the best of all thresholds for a given one. Limits depend on counts alone, and are kept.
    @Test func bestThresholdNeedsACorrection() throws {
        let count = 150
        func limits(_ significance: Double) -> [Double] {
            (0...count).map {
                -Normal.quantile(ClopperPearsonLimits.upperLimit($0, of: count, significance: significance / 2))
            }
        }
        let (single, corrected) = (limits(0.5), limits(0.5 / Double(2 * count)))
        var random = SeededGenerator(seed: 12)
        var (failed, broken) = (0, 0)
        for _ in 0..<Self.audits {
            let scores = try CanaryScores(
                included: (0..<count).map { _ in random.normal() + mu },
                excluded: (0..<count).map { _ in random.normal() })
            let guesses = scores.distinct.map { scores.guesses(above: $0) }
            func best(_ limits: [Double]) -> Double {
                guesses.map { limits[$0.falsePositives] + limits[count - $0.truePositives] }.max()!
            }
            if best(corrected) > mu { failed += 1 }
            if best(single) > mu { broken += 1 }
        }
        #expect(failed <= Self.mostFailures)
        withKnownIssue { #expect(broken <= Self.mostFailures) }
    }

    /// Those limits are the ones that a search uses, at both significances.
    @Test func searchesUseTheLimits() throws {
        var random = SeededGenerator(seed: 13)
        let scores = try scores(200, using: &random)
        let bound = try scores.epsilonLowerBound(.gaussian, delta: delta, confidence: 0.5, threshold: .corrected)
        let best = scores.distinct.map {
            ClopperPearsonLimits(scores.guesses(above: $0), significance: 0.5 / 200 * (1 - 0x1p-51)).mu
        }.max()!
        // Significances that differ by a few ulps move limits by a relative 2⁻³⁴ at most, the width of their brackets.
        #expect(bound.mu! > 0 && abs(bound.mu! - best) < 0x1p-30)
        let chosen = try scores.epsilonLowerBound(
            .gaussian, delta: delta, confidence: 0.5, threshold: .given(bound.threshold))
        #expect(chosen.mu! > bound.mu!)
    }

    /// A result carries what it is worth.
    @Test func resultsSayWhatTheyAreWorth() throws {
        let scores = try CanaryScores(included: [3, 4, 5, 6, 7, 8, 9, 10], excluded: [-3, -2, -1, 0, 1, 2])
        let bound = try scores.epsilonLowerBound(.oneRun, delta: 1e-6, confidence: 0.75, threshold: .given(2.5))
        #expect(bound.confidence == 0.75 && bound.delta == 1e-6 && bound.mu == nil && bound.threshold == 2.5)
        #expect("\(bound)".hasSuffix("at δ = 1e-06 with confidence 0.75 (one-run)"))
        let other = try scores.epsilonLowerBound(.gaussian, delta: 1e-6, confidence: 0.75, threshold: .given(2.5))
        #expect(other.mu! > 0 && other.epsilon > 0 && "\(other)".contains("if the mechanism is Gaussian"))
    }
}
