import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct PrivacyLossDistributionReferenceTests {
    let reference = AccountingReference.shared

    @Test func dpSGDEpsilonMatches() throws {
        #expect(!reference.dpsgd.isEmpty)
        for row in reference.dpsgd {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: row.iterations)
            let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: row.delta)
            #expect(abs(bounds.upper / row.pldEpsilonF64 - 1) < 1e-3, "\(row): \(bounds)")
            #expect(bounds.lower <= bounds.upper)
            // The reference is an upper bound too.
            #expect(bounds.lower <= row.pldEpsilonF64, "\(row): \(bounds)")
        }
    }

    /// Negative control: losses rounded down by one grid point must fall below the bracket, or the bracket is empty
    /// talk.
    @Test func roundingDownFallsBelowTheBracket() throws {
        let row = try #require(reference.dpsgd.first { $0.samplingProb < 1 && $0.iterations >= 100 })
        let event = try PrivacyEvent.dpSGD(
            noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb, iterations: row.iterations)
        let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: row.delta)
        let pair = SubsampledPair(GaussianPair(mu: 1 / row.noiseMultiplier), probability: row.samplingProb)
        let h = 2e-3
        let model = LossModel(components: [.init(parts: [(1, pair)], count: row.iterations)])
        let guide = CumulantGuide(model, tail: 1e-20)
        let choice = guide.choice(delta: row.delta)
        func upper(shift: Int) throws -> Double {
            let parts = try model.discretized(interval: h, tail: 1e-20, isOptimistic: false, limit: 1 << 22).map {
                var loss = $0.loss
                loss.first -= shift
                return TiltedComposition.Part(loss: loss, count: $0.count)
            }
            let sum = try TiltedComposition(parts, interval: h, tilt: choice.tilt, guide: guide, limit: 1 << 22)
            return sum.upperEpsilon(delta: row.delta).value
        }
        #expect(try upper(shift: 0) >= bounds.lower)
        #expect(try upper(shift: 1) < bounds.lower)
    }

    @Test func deltaMatches() throws {
        for row in reference.dpsgd {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: row.iterations)
            let bounds = try PrivacyLossDistributionAccountant().deltaBounds(of: event, epsilon: 1)
            #expect(bounds.lower <= bounds.upper)
            // Below 1e-10 the reference shows the round-off of an untilted transform.
            let difference = abs(bounds.upper - row.pldDeltaAtEps1F64)
            #expect(difference < 2e-3 * row.pldDeltaAtEps1F64 + 1e-10, "\(row): \(bounds)")
            #expect(bounds.lower <= row.pldDeltaAtEps1F64 + 1e-10, "\(row): \(bounds)")
        }
    }

    @Test func gaussianMatches() throws {
        for row in reference.gaussian {
            let event = try PrivacyEvent.selfComposed(
                .gaussian(noiseMultiplier: row.noiseMultiplier), count: row.iterations)
            let epsilon = try PrivacyLossDistributionAccountant().epsilon(of: event, delta: row.delta)
            #expect(abs(epsilon / row.pldEpsilonF64 - 1) < 1e-5)
            #expect(epsilon <= row.pldEpsilonF64 * (1 + 1e-7))
        }
    }

    @Test func truncatedMatches() throws {
        for row in reference.truncated {
            let event = try PrivacyEvent.selfComposed(
                .truncatedPoissonSampledGaussian(
                    datasetSize: row.numExamples, probability: row.samplingProb,
                    truncatedBatchSize: row.truncatedBatchSize, noiseMultiplier: row.noiseMultiplier),
                count: row.iterations)
            let accountant = PrivacyLossDistributionAccountant(relation: .replaceSpecial)
            let bounds = try accountant.epsilonBounds(of: event, delta: row.delta)
            #expect(abs(bounds.upper / row.pldEpsilonF64 - 1) < 1e-3, "\(row): \(bounds)")
            #expect(bounds.lower <= row.pldEpsilonF64)
            // Accounting it as plain Poisson sampling would look better, and be wrong.
            let plain = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: row.iterations)
            #expect(try accountant.epsilon(of: plain, delta: row.delta) < bounds.upper)
        }
    }

    /// b bands: ⌈T/b⌉ Poisson-sampled Gaussian queries.
    @Test func bandedMatches() throws {
        for row in reference.bandmf {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: (row.iterations + row.numBands - 1) / row.numBands)
            let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: row.delta)
            #expect(abs(bounds.upper / row.pldEpsilonF64 - 1) < 1e-3)
            #expect(bounds.lower <= row.pldEpsilonF64)
        }
    }
}
