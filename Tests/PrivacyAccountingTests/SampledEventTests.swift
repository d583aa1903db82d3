import Foundation
import Testing

@testable import PrivacyAccounting

/// Samples of any event: by Poisson's rule, of a fixed size without replacement, with replacement.
@Suite struct SampledEventTests {
    private static let single = PrivacyLossDistributionAccountant()
    private static let replaced = PrivacyLossDistributionAccountant(relation: .replaceOne)

    /// One step: δ′(log(1 + q(e^ε − 1))) is at least q·δ(ε), that of removing, and no more unless adding costs more.
    @Test func anySampledStepIsAmplified() throws {
        let events: [PrivacyEvent] = try [
            .laplace(noiseMultiplier: 1), .composed([.laplace(noiseMultiplier: 2), .gaussian(noiseMultiplier: 1)]),
            .selfComposed(.laplace(noiseMultiplier: 3), count: 4),
            .poissonSampled(probability: 0.4, .gaussian(noiseMultiplier: 0.7)),
            .randomAllocated(steps: 4, participations: 1, noiseMultiplier: 1),
        ]
        for event in events {
            for q in [0.02, 0.3] {
                for epsilon in [0.2, 0.7] {
                    let inner = try Self.single.deltaBounds(of: event, epsilon: epsilon)
                    let sampled = try Self.single.deltaBounds(
                        of: .poissonSampled(probability: q, event), epsilon: log1p(q * expm1(epsilon)))
                    #expect(sampled.upper >= q * inner.lower * (1 - 1e-9), "\(event) \(q): \(sampled) \(inner)")
                    #expect(sampled.upper <= q * inner.upper * 1.02 + 1e-12, "\(event) \(q): \(sampled) \(inner)")
                    #expect(sampled.lower <= sampled.upper)
                    // The twin: amplification taken twice.
                    #expect(q * q * inner.upper < sampled.lower || sampled.lower < 0.9 * q * inner.lower)
                }
            }
        }
    }

    /// A certain sample is the event itself, and an empty one nothing.
    @Test func certainSamplesAreTheEvent() throws {
        let event = try PrivacyEvent.composed([.laplace(noiseMultiplier: 2), .gaussian(noiseMultiplier: 1)])
        let epsilon = try Self.replaced.epsilon(of: event, delta: 1e-6)
        #expect(try Self.replaced.epsilon(of: .poissonSampled(probability: 1, event), delta: 1e-6) == epsilon)
        let whole = try PrivacyEvent.sampledWithoutReplacement(sourceSize: 7, sampleSize: 7, event)
        #expect(try Self.replaced.epsilon(of: whole, delta: 1e-6) == epsilon)
        for nothing in try [
            PrivacyEvent.sampledWithoutReplacement(sourceSize: 7, sampleSize: 0, event),
            .sampledWithReplacement(sourceSize: 7, sampleSize: 0, event), .poissonSampled(probability: 0, event),
        ] { #expect(try Self.replaced.epsilon(of: nothing, delta: 0) == 0) }
        let unprotected = PrivacyEvent.composed([event, .nonPrivate])
        for sampled in try [
            PrivacyEvent.sampledWithoutReplacement(sourceSize: 7, sampleSize: 1, unprotected),
            .poissonSampled(probability: 0.1, unprotected),
        ] { #expect(try Self.replaced.epsilon(of: sampled, delta: 1e-6) == .infinity) }
    }

    /// Of one record m draws are all draws: a Gaussian of m times the sensitivity, 2 for replacing.
    @Test func drawsOfTheOnlyRecordAddUp() throws {
        for draws in [1, 3] {
            let event = try PrivacyEvent.sampledWithReplacement(
                sourceSize: 1, sampleSize: draws, .gaussian(noiseMultiplier: 4))
            let exact = GaussianDifferentialPrivacy.epsilon(delta: 1e-6, mu: 2 * Double(draws) / 4)
            let upper = try Self.replaced.epsilon(of: event, delta: 1e-6)
            #expect(upper >= exact * (1 - 1e-9) && upper < exact * 1.01)
        }
    }

    /// δ′(log(1 + γ(e^ε − 1))) = Σ_j P(Bin(m, 1/n) = j)·δ(ε; 2j/z), in closed form. The twin forgets that a record can
    /// be drawn twice.
    @Test func drawsWithReplacementAreSummed() throws {
        let (n, m, z) = (40, 10, 3.0)
        let event = try PrivacyEvent.sampledWithReplacement(sourceSize: n, sampleSize: m, .gaussian(noiseMultiplier: z))
        let gamma = 1 - pow(1 - 1 / Double(n), Double(m))
        for epsilon in [0.1, 0.5, 1.5] {
            let terms = (1...m).map { j in
                let (x, trials) = (Double(j), Double(m))
                let weight = exp(logBinomial(trials, x) - x * log(Double(n)) + (trials - x) * log1p(-1 / Double(n)))
                return weight * GaussianDifferentialPrivacy.delta(epsilon: epsilon, mu: 2 * x / z)
            }
            let exact = terms.reduce(0, +)
            let upper = try Self.replaced.delta(of: event, epsilon: log1p(gamma * expm1(epsilon)))
            #expect(upper >= exact * (1 - 1e-9) && upper < exact * 1.01, "\(upper) \(exact)")
            #expect(terms[0] < exact * (1 - 1e-3))
        }
    }

    /// More draws, less noise and a larger share cost more; a composition costs more than a part of it; both ends hold.
    @Test func samplesAreMonotone() throws {
        func bounds(_ z: Double, _ m: Int, _ steps: Int) throws -> PrivacyBounds {
            try Self.replaced.epsilonBounds(
                of: .selfComposed(
                    .sampledWithoutReplacement(sourceSize: 500, sampleSize: m, .gaussian(noiseMultiplier: z)),
                    count: steps), delta: 1e-6)
        }
        let base = try bounds(2, 50, 200)
        #expect(base.lower <= base.upper && base.lower > 0.7 * base.upper)
        #expect(try bounds(1.5, 50, 200).upper > base.upper)
        #expect(try bounds(2, 60, 200).upper > base.upper)
        #expect(try bounds(2, 50, 300).upper > base.upper)
        // Never worse than no sampling, and better than what Rényi's accountant proves.
        #expect(base.upper < GaussianDifferentialPrivacy.epsilon(delta: 1e-6, mu: 2 / 2 * 200.0.squareRoot()))
        let rdp = try RenyiAccountant(relation: .replaceOne).epsilon(
            of: .selfComposed(
                .sampledWithoutReplacement(sourceSize: 500, sampleSize: 50, .gaussian(noiseMultiplier: 2)), count: 200),
            delta: 1e-6)
        #expect(base.upper < rdp)
    }

    /// Many samples of a composition cost at least as much as samples of its Gaussian part alone: what a discretised
    /// composition lacks of Q is not lost to P when it is sampled. The twin loses it.
    @Test func noMassIsLostBySampling() throws {
        let (q, z, steps) = (1e-4, 0.3, 300_000)
        let both = try PrivacyEvent.composed([.laplace(noiseMultiplier: 1000), .gaussian(noiseMultiplier: z)])
        let event = try PrivacyEvent.selfComposed(.poissonSampled(probability: q, both), count: steps)
        let part = try PrivacyEvent.dpSGD(noiseMultiplier: z, samplingProbability: q, iterations: steps)
        let least = try Self.single.epsilonBounds(of: part, delta: 1e-5).lower
        #expect(try Self.single.epsilon(of: event, delta: 1e-5) >= least)
        let models = try LossModel.directions(Phases(both), relation: .addOrRemoveOne, side: .upper)
        let atoms = CellQuery(models[0], side: .upper).distribution().pair
        #expect(atoms.tails(at: 1e9).qBelow >= 1)
        #expect(atoms.tails(at: -1e9).qBelow > 1e-12)
    }

    /// Of more steps inside a sample than roundings can be counted for nothing is claimed.
    @Test func tooManyStepsInsideASampleProveNothing() throws {
        let inner = try PrivacyEvent.selfComposed(.laplace(noiseMultiplier: 1e12), count: .max)
        let event = try PrivacyEvent.poissonSampled(probability: 0.1, inner)
        #expect(try Self.single.epsilon(of: event, delta: 1e-5) == .infinity)
        #expect(try Self.single.delta(of: event, epsilon: 1) == 1)
    }

    /// What depends on how many records there are is not told how many a sample has.
    @Test func mechanismsThatCountRecordsAreNotSampled() throws {
        let gaussian = try PrivacyEvent.gaussian(noiseMultiplier: 1)
        let fixed = try PrivacyEvent.sampledWithoutReplacement(sourceSize: 10, sampleSize: 2, gaussian)
        let truncated = try PrivacyEvent.truncatedPoissonSampledGaussian(
            datasetSize: 10, probability: 0.5, truncatedBatchSize: 3, noiseMultiplier: 1)
        for event in [fixed, truncated] {
            #expect(throws: AccountingError.self) {
                try Self.replaced.epsilon(of: .poissonSampled(probability: 0.1, event), delta: 1e-5)
            }
        }
    }
}
