import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct PrivacyLossDistributionReferenceTests {
    let reference = AccountingReference.shared

    /// The reference discretises losses at 10⁻⁴, which costs it some percent where a step's loss is as small: it is an
    /// upper bound. Where it is more than 0.1 % above ours, our lower end, which is close, shows that it is.
    @Test func dpSGDEpsilonMatches() throws {
        #expect(!reference.dpsgd.isEmpty)
        for row in reference.dpsgd {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: row.iterations)
            let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: row.delta)
            #expect(bounds.upper <= row.pldEpsilonF64 * (1 + 1e-3), "\(row): \(bounds)")
            #expect(bounds.lower <= row.pldEpsilonF64, "\(row): \(bounds)")
            #expect(bounds.lower >= bounds.upper * (1 - 4e-3), "\(row): \(bounds)")
        }
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
            #expect(difference < 3e-3 * row.pldDeltaAtEps1F64 + 1e-10, "\(row): \(bounds)")
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
