import Foundation
import PrivacyMechanisms
import PrivateTraining
import Testing

@testable import PrivacyAuditing

/// Likelihoods by hand.
@Suite struct ParticipationLikelihoodTests {
    private func pattern(_ sampling: SamplingScheme, _ steps: Int) throws -> ParticipationPattern {
        try sampling.participation(in: steps)
    }

    private func agree(_ found: Double, _ likelihood: Double) -> Bool { abs(found - log(likelihood)) < 1e-12 }

    private let steps = [0.3, -1.2, 2.0, 0.1]

    @Test func everyStepHasItsOwnCoin() throws {
        let poisson = SamplingScheme.poisson(try PoissonSampler(exampleCount: 8, samplingProbability: 0.25))
        let expected = steps.reduce(1) { $0 * (0.75 + 0.25 * exp($1)) }
        #expect(agree(try pattern(poisson, 4).logLikelihood(steps), expected))
        let fixed = SamplingScheme.fixedSize(try FixedSizeSampler(exampleCount: 8, batchSize: 2))
        #expect(agree(try pattern(fixed, 4).logLikelihood(steps), expected))
    }

    @Test func balls() throws {
        let bins = SamplingScheme.ballsInBins(try BallsInBinsSampler(exampleCount: 8, bins: 2))
        let same = (exp(0.3 + 2.0) + exp(-1.2 + 0.1)) / 2
        #expect(agree(try pattern(bins, 4).logLikelihood(steps), same))
        let redrawn = SamplingScheme.ballsInBins(
            try BallsInBinsSampler(exampleCount: 8, bins: 2, isRedrawnEachEpoch: true))
        let anew = (exp(0.3) + exp(-1.2)) / 2 * (exp(2.0) + exp(0.1)) / 2
        #expect(agree(try pattern(redrawn, 4).logLikelihood(steps), anew))
    }

    @Test func turns() throws {
        let cyclic = SamplingScheme.cyclicPoisson(
            try CyclicPoissonSampler(exampleCount: 8, bands: 2, samplingProbability: 0.5))
        let expected =
            ((0.5 + 0.5 * exp(0.3)) * (0.5 + 0.5 * exp(2.0)) + (0.5 + 0.5 * exp(-1.2)) * (0.5 + 0.5 * exp(0.1))) / 2
        #expect(agree(try pattern(cyclic, 4).logLikelihood(steps), expected))
    }

    /// Noise that C⁻¹ correlates is independent after C.
    @Test func correlatedNoiseIsWhitened() throws {
        let whole = try pattern(.poisson(PoissonSampler(exampleCount: 8, samplingProbability: 1)), 1)
        let model = ObservationModel(pattern: whole, strategy: [[2]], deviation: 3, excluded: 0)
        // A contribution of 1 is 2 after C, under noise of 3: (2·2·(2x) − 4)/18.
        #expect(abs(model.score([1.5], amplitude: 1, by: .likelihoodRatio) - (2 * 2 * 3 - 4) / 18) < 1e-12)
        let replaced = ObservationModel(pattern: whole, strategy: nil, deviation: 1, excluded: -1)
        #expect(abs(replaced.score([0.5], amplitude: 1, by: .likelihoodRatio) - 1) < 1e-12)
        #expect(replaced.score([0.5, 2, 1.5], amplitude: 1, by: .repeatedNoise) == 1.5)
    }
}
