import Foundation
import Testing

@testable import PrivacyAccounting

/// Limits whose answers are known without this package.
@Suite struct ClosedFormTests {
    /// δ(ε) of the analytic Gaussian mechanism, straight from arXiv 1805.06530, theorem 8.
    static func gaussianDelta(_ epsilon: Double, _ mu: Double) -> Double {
        func phi(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
        return phi(mu / 2 - epsilon / mu) - exp(epsilon) * phi(-mu / 2 - epsilon / mu)
    }

    static func gaussianEpsilon(_ delta: Double, _ mu: Double) -> Double {
        var (low, high) = (0.0, 1000.0)
        for _ in 0..<200 {
            let middle = (low + high) / 2
            if gaussianDelta(middle, mu) > delta { low = middle } else { high = middle }
        }
        return high
    }

    @Test(arguments: [(1.0, 1, 1e-5), (2.0, 10, 1e-6), (1000, 1_000_000, 1e-5), (50, 400, 1e-8), (0.5, 3, 1e-3)])
    func certainSamplingIsTheGaussianMechanism(z: Double, steps: Int, delta: Double) throws {
        let event = try PrivacyEvent.dpSGD(noiseMultiplier: z, samplingProbability: 1, iterations: steps)
        let mu = Double(steps).squareRoot() / z
        for relation in NeighboringRelation.allCases {
            let factor = relation == .replaceOne ? 2.0 : 1
            let expected = Self.gaussianEpsilon(delta, factor * mu)
            let accountant = PrivacyLossDistributionAccountant(relation: relation)
            #expect(abs(try accountant.epsilon(of: event, delta: delta) / expected - 1) < 1e-6)
            let ours = try accountant.delta(of: event, epsilon: expected)
            #expect(abs(ours / delta - 1) < 1e-6)
            #expect(try RenyiAccountant(relation: relation).epsilon(of: event, delta: delta) >= expected)
        }
    }

    /// One step: H(P‖Q) = q·H_{1 + (e^ε − 1)/q}(N(μ)‖N(0)), and the reverse by duality.
    @Test(arguments: [(1.0, 0.5), (0.3, 0.001), (2.0, 0.01), (5.0, 0.9), (0.05, 0.01)])
    func oneSampledStepIsBracketed(z: Double, q: Double) throws {
        let event = try PrivacyEvent.poissonSampled(probability: q, .gaussian(noiseMultiplier: z))
        for epsilon in [0.001, 0.1, 0.7, 3] {
            let inner = log1p(expm1(epsilon) / q)
            let removal = q * GaussianDifferentialPrivacy.delta(epsilon: inner, mu: 1 / z)
            // H_a(Q‖P) = 1 − a + a·H_{1/a}(P‖Q).
            let reversed = expm1(-epsilon)
            let threshold = 1 + reversed / q
            let mirrored = threshold > 0 ? GaussianDifferentialPrivacy.delta(epsilon: -log(threshold), mu: 1 / z) : 0
            let base = threshold > 0 ? q * (1 - threshold + threshold * mirrored) : -reversed
            let addition = 1 - exp(epsilon) + exp(epsilon) * base
            let truth = max(removal, addition)
            let bounds = try PrivacyLossDistributionAccountant().deltaBounds(of: event, epsilon: epsilon)
            #expect(bounds.lower <= truth + 1e-14 && truth <= bounds.upper * (1 + 1e-9) + 1e-14, "\(z) \(q) \(epsilon)")
            #expect(bounds.upper <= truth * 1.02 + 1e-14, "\(z) \(q) \(epsilon): \(bounds) for \(truth)")
        }
    }

    @Test func nothingCostsNothing() throws {
        let events: [PrivacyEvent] = try [
            .noOp, .composed([]), .selfComposed(.gaussian(noiseMultiplier: 1), count: 0),
            .dpSGD(noiseMultiplier: 1, samplingProbability: 0, iterations: 100),
            .dpSGD(noiseMultiplier: 1, samplingProbability: 0.1, iterations: 0),
            .dpSGD(noiseMultiplier: .infinity, samplingProbability: 0.1, iterations: 10), .zCDP(rho: 0),
        ]
        for event in events {
            let accountants: [any PrivacyAccountant] = [
                PrivacyLossDistributionAccountant(), RenyiAccountant(relation: .replaceOne),
            ]
            for accountant in accountants {
                #expect(try accountant.epsilon(of: event, delta: 0) == 0)
                #expect(try accountant.delta(of: event, epsilon: 0) == 0)
            }
        }
    }

    @Test func noNoiseIsNotPrivate() throws {
        let events: [PrivacyEvent] = try [
            .nonPrivate, .gaussian(noiseMultiplier: 0), .laplace(noiseMultiplier: 0),
            .dpSGD(noiseMultiplier: 0, samplingProbability: 0.1, iterations: 1),
            .composed([.gaussian(noiseMultiplier: 1), .nonPrivate]),
        ]
        for event in events {
            let accountants: [any PrivacyAccountant] = [
                PrivacyLossDistributionAccountant(), RenyiAccountant(relation: .addOrRemoveOne),
            ]
            for accountant in accountants {
                #expect(try accountant.epsilon(of: event, delta: 0.5) == .infinity)
                #expect(try accountant.delta(of: event, epsilon: 100) == 1)
            }
        }
    }

    @Test func zeroDeltaAndInfiniteEpsilon() throws {
        let event = try PrivacyEvent.dpSGD(noiseMultiplier: 1, samplingProbability: 0.1, iterations: 10)
        let accountants: [any PrivacyAccountant] = [
            PrivacyLossDistributionAccountant(), RenyiAccountant(relation: .addOrRemoveOne),
        ]
        for accountant in accountants {
            #expect(try accountant.epsilon(of: event, delta: 0) == .infinity)
            #expect(try accountant.delta(of: event, epsilon: .infinity) == 0)
        }
        let laplace = try PrivacyEvent.selfComposed(.laplace(noiseMultiplier: 4), count: 6)
        #expect(try PrivacyLossDistributionAccountant().epsilon(of: laplace, delta: 0) == 1.5)
        #expect(try PrivacyLossDistributionAccountant(relation: .replaceOne).epsilon(of: laplace, delta: 0) == 3)
        #expect(try PrivacyLossDistributionAccountant().delta(of: laplace, epsilon: 1.5) == 0)
    }

    @Test func extremeNoise() throws {
        let accountant = PrivacyLossDistributionAccountant()
        func epsilon(_ z: Double) throws -> Double {
            try accountant.epsilon(
                of: .dpSGD(noiseMultiplier: z, samplingProbability: 0.01, iterations: 100), delta: 1e-5)
        }
        #expect(try epsilon(1e9) < 1e-6)
        #expect(try epsilon(0.05) > 1000)
        #expect(try epsilon(0.005) > epsilon(0.05))
    }

    /// One Laplace query: δ(ε) = 1 − e^{(ε − 1/b)/2} (arXiv 1807.01647, theorem 3).
    @Test func laplaceMatches() throws {
        for (b, epsilon) in [(1.0, 0.5), (0.5, 0.1), (3.0, 0.2)] {
            let truth = 1 - exp((epsilon - 1 / b) / 2)
            let bounds = try PrivacyLossDistributionAccountant().deltaBounds(
                of: .laplace(noiseMultiplier: b), epsilon: epsilon)
            #expect(bounds.lower <= truth && truth <= bounds.upper)
            #expect(bounds.upper - bounds.lower < 0.02 * truth)
        }
    }

    @Test func gaussianDifferentialPrivacyRoundTrips() throws {
        let privacy = try GaussianDifferentialPrivacy(mu: 0.8)
        #expect(try abs(privacy.typeTwoError(typeOneError: 0.05) - 0.8) < 0.01)
        #expect(try privacy.typeTwoError(typeOneError: 0) == 1)
        for delta in [0.01, 1e-5, 1e-60] {
            let epsilon = try privacy.epsilon(delta: delta)
            #expect(abs(try GaussianDifferentialPrivacy(epsilon: epsilon, delta: delta).mu / 0.8 - 1) < 1e-7)
            #expect(try privacy.delta(epsilon: epsilon) <= delta)
        }
        #expect(abs(privacy.composed(with: try GaussianDifferentialPrivacy(mu: 0.6)).mu - 1) < 1e-15)
        #expect(throws: AccountingError.self) { try GaussianDifferentialPrivacy(mu: .nan) }
    }
}
