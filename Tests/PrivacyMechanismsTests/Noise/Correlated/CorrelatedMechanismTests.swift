import Foundation
import PrivacyAccounting
import Testing

@testable import PrivacyMechanisms

/// The events of correlated noise.
@Suite struct CorrelatedMechanismTests {
    private static let bisr = CorrelationStrategy.bandedInverse(try! .bisr(terms: 4, steps: 100))

    private static func banded(_ bands: Int, steps: Int = 100) -> CorrelationStrategy {
        .bandedToeplitz(
            try! ToeplitzStrategy(coefficients: ToeplitzStrategy.squareRoot(bands), steps: steps))
    }

    private static func event(
        _ strategy: CorrelationStrategy, _ sampler: SamplingScheme, steps: Int = 100, restarts: Bool = false
    ) throws -> PrivacyEvent {
        try NoiseScheme.correlated(strategy, restarts: restarts).event(
            of: sampler.participation(in: steps), noiseMultiplier: 2)
    }

    /// z less what a discrete Gaussian costs.
    private static func effective(_ strategy: CorrelationStrategy) throws -> Double {
        let sigma = 2 * SumGrid.leastSensitivity(noiseMultiplier: 2 * CorrelatedMechanism(strategy).amplitude)
        return try ContinuousGaussianCover(sigma: min(sigma, 0x1p24), sensitivity: min(sigma, 0x1p24) / 2)
            .effectiveNoiseMultiplier
    }

    @Test func bandsWithinGroupsAreAmplified() throws {
        let sampler = SamplingScheme.cyclicPoisson(
            try CyclicPoissonSampler(exampleCount: 1000, bands: 8, samplingProbability: 0.25))
        let strategy = Self.banded(8)
        #expect(
            try Self.event(strategy, sampler)
                == .dpSGD(noiseMultiplier: Self.effective(strategy), samplingProbability: 0.25, iterations: 13))
        // Fewer bands than groups cost the same for the same z, and reach less far.
        let less = Self.banded(3)
        #expect(
            try Self.event(less, sampler, steps: 40)
                == .dpSGD(noiseMultiplier: Self.effective(less), samplingProbability: 0.25, iterations: 5))
    }

    @Test func slotsThatAreOneOfSeveralStepsAreTakenToBeKnown() throws {
        let sampler = try BMinSepSampler(exampleCount: 1000, separation: 4, samplingProbability: 0.1)
        let strategy = Self.banded(4)
        #expect(
            try Self.event(strategy, .bMinSep(sampler))
                == .dpSGD(
                    noiseMultiplier: Self.effective(strategy), samplingProbability: sampler.slotProbability,
                    iterations: sampler.mostSlots(in: 100)))
    }

    /// Epochs are one release of sensitivity sens: that of k participations, an epoch apart where the order stays.
    @Test func epochsAreOneRelease() throws {
        let bins = SamplingScheme.ballsInBins(try BallsInBinsSampler(exampleCount: 1000, bins: 20))
        let shuffled = SamplingScheme.shuffledEpochs(try ShuffledEpochs(exampleCount: 1000, batchSize: 50))
        for (sampler, norm) in [
            (bins, Self.bisr.epochSensitivity(length: 20, steps: 100)),
            (shuffled, Self.bisr.sensitivity(participations: 5, separation: 1, steps: 100)),
        ] {
            guard case .gaussian(let event) = try Self.event(Self.bisr, sampler) else {
                Issue.record("Not a Gaussian")
                continue
            }
            let expected = 2 * Self.bisr.columnNorm / norm
            #expect(event.noiseMultiplier <= expected)
            #expect(event.noiseMultiplier > expected * (1 - 1e-12))
        }
        // The broken twin has the norm of a column for all epochs: as if somebody took part once.
        let once = 2 * Self.bisr.columnNorm / Self.bisr.sensitivity(participations: 1, separation: 1, steps: 100)
        guard case .gaussian(let event) = try Self.event(Self.bisr, bins) else { return }
        #expect(event.noiseMultiplier < 0.6 * once)
    }

    /// A run that is cut short costs what its leading block does, and restarts add their squares up.
    @Test func partsAndRestarts() throws {
        let bins = SamplingScheme.ballsInBins(try BallsInBinsSampler(exampleCount: 1000, bins: 20))
        func multiplier(_ steps: Int, restarts: Bool = false) throws -> Double {
            guard case .gaussian(let event) = try Self.event(Self.bisr, bins, steps: steps, restarts: restarts) else {
                return .nan
            }
            return event.noiseMultiplier
        }
        #expect(try multiplier(40) > multiplier(100))
        let (whole, part) = (
            Self.bisr.epochSensitivity(length: 20, steps: 100), Self.bisr.epochSensitivity(length: 20, steps: 30)
        )
        let expected = 2 * Self.bisr.columnNorm / (2 * whole * whole + part * part).squareRoot()
        let found = try multiplier(230, restarts: true)
        #expect(found <= expected && found > expected * (1 - 1e-12))
    }

    /// One band is independent noise, under every sampler.
    @Test func oneBandIsIndependentNoise() throws {
        let identity = CorrelationStrategy.identity(try IdentityStrategy(steps: 100))
        let poisson = SamplingScheme.poisson(try PoissonSampler(exampleCount: 1000, samplingProbability: 0.1))
        #expect(
            try Self.event(identity, poisson)
                == .dpSGD(noiseMultiplier: Self.effective(identity), samplingProbability: 0.1, iterations: 100))
    }

    @Test func combinationsWithoutAnAnalysisAreRefused() throws {
        let poisson = SamplingScheme.poisson(try PoissonSampler(exampleCount: 1000, samplingProbability: 0.1))
        let fixed = SamplingScheme.fixedSize(try FixedSizeSampler(exampleCount: 1000, batchSize: 10))
        let cyclic = SamplingScheme.cyclicPoisson(
            try CyclicPoissonSampler(exampleCount: 1000, bands: 4, samplingProbability: 0.25))
        for (strategy, sampler, steps, part) in [
            (Self.bisr, poisson, 100, "drawn in every step anew"), (Self.banded(2), fixed, 100, "drawn in every step"),
            (Self.banded(5), cyclic, 100, "5 bands"), (Self.bisr, cyclic, 100, "100 bands"),
            (Self.banded(4), cyclic, 101, "101 steps"),
        ] {
            let error = #expect(throws: AccountingError.self) {
                try Self.event(strategy, sampler, steps: steps)
            }
            #expect(error?.description.contains(part) == true)
        }
    }
}
