import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct RenyiReferenceTests {
    let reference = AccountingReference.shared

    /// Within 0.1 %, or lower: the reference looks only at its grid of orders, with gaps up to a factor of two, and its
    /// series for fractional orders lies up to 8 % above the integral it stands for at large q. Where ours is lower it
    /// must still be above the truth.
    @Test func dpSGDMatches() throws {
        for row in reference.dpsgd {
            let event = try PrivacyEvent.dpSGD(
                noiseMultiplier: row.noiseMultiplier, samplingProbability: row.samplingProb,
                iterations: row.iterations)
            let ours = try RenyiAccountant(relation: .addOrRemoveOne).guarantee(of: event, delta: row.delta)
            #expect(ours.epsilon <= row.rdpEpsilonF64 * 1.001, "\(row): \(ours)")
            let truth = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: row.delta)
            #expect(ours.epsilon >= truth.lower)
            if ours.epsilon < row.rdpEpsilonF64 * 0.999 { #expect(ours.epsilon > row.rdpEpsilonF64 * 0.9) }
            #expect(ours.order != nil)
        }
    }

    /// On integer orders both sum the same series.
    @Test func gaussianMatches() throws {
        for row in reference.gaussian {
            let event = try PrivacyEvent.selfComposed(
                .gaussian(noiseMultiplier: row.noiseMultiplier), count: row.iterations)
            let accountant = RenyiAccountant(relation: .addOrRemoveOne)
            let ours = try accountant.epsilon(of: event, delta: row.delta)
            #expect(ours <= row.rdpEpsilonF64 * (1 + 1e-9))
            #expect(ours >= row.rdpEpsilonF64 * 0.999)
            // ρ-zCDP with ρ = T/(2z²) is what the Gaussian mechanism is.
            let zCDP = try accountant.epsilon(of: .zCDP(rho: row.zcdpRhoF64), delta: row.delta)
            #expect(abs(zCDP / ours - 1) < 1e-9)
        }
    }

    /// The reference states z over the replace-one distance, 2C; ours is over C, so the same noise is 2z.
    @Test func fixedSizeMatches() throws {
        for row in reference.fixedSize {
            func event(_ z: Double) throws -> PrivacyEvent {
                try .selfComposed(
                    .sampledWithoutReplacement(
                        sourceSize: row.datasetSize, sampleSize: row.batchSize, .gaussian(noiseMultiplier: z)),
                    count: row.iterations)
            }
            let accountant = RenyiAccountant(relation: .replaceOne)
            let ours = try accountant.epsilon(of: event(2 * row.noiseMultiplier), delta: row.delta)
            #expect(ours <= row.rdpEpsilonF64 * 1.001, "\(row): \(ours)")
            #expect(ours >= row.rdpEpsilonF64 * 0.9)
            // Negative control: not doubling would claim far less than the noise gives.
            #expect(try accountant.epsilon(of: event(row.noiseMultiplier), delta: row.delta) > 1.5 * ours)
        }
    }
}
