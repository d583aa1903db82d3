import Foundation
import Testing

@testable import PrivacyAccounting

struct ContinuousGaussianCoverTests {
    /// max |log P(y)/N_ℤ(y)| within 6σ, for the two draws of the lemma. The trapezoidal rule on an integrand that is
    /// analytic in a strip errs by a power of e^{−64·2π}: nothing; rounding by 10⁻¹³ at most.
    private static func largestRatio(outer: Double, inner: Double) throws -> Double {
        let sigma = (outer * outer + inner * inner).squareRoot()
        let law = try DiscreteGaussianDistribution(sigma: sigma)
        let (step, reach) = (0x1p-6, Int(9 * outer * 64))
        let points = (-reach...reach).map { Double($0) * step }
        let weights = points.map { x in
            let center = x.rounded()
            let normalizer = (-30...30).reduce(0.0) {
                $0 + exp(-(center + Double($1) - x) * (center + Double($1) - x) / (2 * inner * inner))
            }
            return exp(-x * x / (2 * outer * outer)) / normalizer
        }
        // Σ exp(−x²/2σ_c²)·h = σ_c√(2π).
        let scale = step / (outer * (2 * Double.pi).squareRoot())
        return (0...Int(6 * sigma)).map { y in
            let mass = zip(points, weights).reduce(0.0) {
                $0 + $1.1 * exp(-(Double(y) - $1.0) * (Double(y) - $1.0) / (2 * inner * inner))
            }
            return abs(log(mass * scale / law.probability(of: y)))
        }.max()!
    }

    @Test func twoDrawsAreNearTheDiscreteGaussian() throws {
        let coarse = try Self.largestRatio(outer: 2, inner: 0.75)
        #expect(abs(coarse / 2.2e-9 - 1) < 0.1)
        #expect(abs(ContinuousGaussianCover.logRatio(innerSigma: 0.75) / 6e-5 - 1) < 0.01)
        for (outer, inner) in [(2.0, 0.75), (1, 0.75), (0.75, 0.6), (0.75, 0.5), (3, 0.5)] {
            let (ratio, bound) = (
                try Self.largestRatio(outer: outer, inner: inner), ContinuousGaussianCover.logRatio(innerSigma: inner)
            )
            #expect(ratio <= bound + 1e-13, "\(outer) \(inner): \(ratio) for \(bound)")
        }
        // Control: σ_d = 2 would claim too little for σ_d = ½.
        #expect(
            try Self.largestRatio(outer: 0.75, inner: 0.5) > ContinuousGaussianCover.logRatio(innerSigma: 2) + 1e-13)
    }

    /// σ_d = 2: the sum over the integers is below what the continuous formula says of σ_eff; of coarse grids too,
    /// which are refused for other reasons.
    @Test func theBoundHolds() throws {
        for (sigma, sensitivity) in [(3.0, 1), (5, 2), (50, 40), (1024, 1024), (2048, 700)] {
            let law = try DiscreteGaussianDistribution(sigma: sigma)
            let effective = (sigma * sigma - 4).squareRoot() / Double(sensitivity)
            for epsilon in [0, 0.1, 0.5, 1, 4] {
                let bound = GaussianDifferentialPrivacy.delta(epsilon: epsilon, mu: 1 / effective)
                #expect(try law.delta(epsilon: epsilon, sensitivity: sensitivity) <= bound * (1 + 1e-9))
            }
        }
        // Control: the continuous formula of σ itself is no bound on a coarse grid.
        let discrete = try DiscreteGaussianDistribution(sigma: 1).delta(epsilon: 1)
        let naive = GaussianDifferentialPrivacy.delta(epsilon: 1, mu: 1)
        #expect(abs(discrete - 0.1413513394) < 1e-9 && abs(naive - 0.1269367375) < 1e-9 && naive < discrete)
    }

    @Test func numbersAreRoundedOutward() throws {
        let cover = try ContinuousGaussianCover(sigma: 0x1p20, sensitivity: 0x1p20)
        let z = cover.effectiveNoiseMultiplier
        // 1 − z = 2·2⁻⁴⁰, and the rounding.
        #expect(z < 1 - 0x1p-39 && z > 1 - 0x1p-38)
        let slack = try cover.slack(releases: 100_000, coordinates: 10_000_000)
        // 2e·10¹²; e from 40 digits: 1.0245004558470905·10⁻³⁴.
        #expect(slack.value >= 2.049000911694e-22 && slack.value < 2.049001e-22)
        #expect(slack.addedEpsilon == 2 * slack.value)
        #expect(slack.continuousDelta(for: 1e-5) < 1e-5 && slack.continuousDelta(for: 1e-5) > 1e-5 * (1 - 1e-14))
        #expect(slack.epsilon(continuous: 1) == 1.0.nextUp)
        #expect(try slack.delta(epsilon: 1) { $0 < 1 ? 0.25 : 0 } > 0.25)
        #expect(try slack.delta(epsilon: 0) { _ in 0 } == slack.addedEpsilon * (1 + 0x1p-50))
        #expect(try slack.delta(epsilon: .infinity) { _ in 0 } == 0)
        // A slack that shows, and none.
        let large = ContinuousCoverSlack(value: 0.5)
        #expect(try abs(large.delta(epsilon: 3) { 0.1 * exp(-$0) } - 0.1 * exp(-1.5)) < 1e-12)
        #expect(abs(large.continuousDelta(for: 0.1) - 0.1 * exp(-0.5)) < 1e-12)
        let none = try cover.slack(releases: 0, coordinates: 5)
        #expect(none.epsilon(continuous: 1) == 1 && none.continuousDelta(for: 0.1) == 0.1)
        #expect(try none.delta(epsilon: 1) { $0 / 4 } == 0.25)
    }

    @Test func coarseGridsAreRefused() throws {
        _ = try ContinuousGaussianCover(sigma: 1024, sensitivity: 1)
        for sigma in [0, 1023.9, .nan, .infinity] {
            let error = #expect(throws: AccountingError.self) {
                try ContinuousGaussianCover(sigma: sigma, sensitivity: 1)
            }
            #expect(error?.description.contains("at least 1024.0, which takes more noise or a finer grid") == true)
        }
        #expect(throws: AccountingError.self) { try ContinuousGaussianCover(sigma: 2000, sensitivity: 0) }
        let cover = try ContinuousGaussianCover(sigma: 2000, sensitivity: 1)
        #expect(throws: AccountingError.self) { try cover.slack(releases: -1, coordinates: 1) }
    }
}
