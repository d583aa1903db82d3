import PrivacyAccounting
import Requirements

/// Independent Gaussian noise in every step: DP-SGD's mechanism. It has no configuration.
package struct GaussianMechanism: NoiseMechanism {
    package static let kind = "gaussian"

    /// How far the stream of a seeded run has come. A stream under a secure key is not gone on with.
    package struct Checkpoint: Codable, Sendable {
        let position: UInt64
    }

    package init() {}

    /// Noise of one step has nothing to do with that of others.
    package var allowsChangingSensitivity: Bool { true }

    package func begin(nonPrivateSeed seed: UInt64?) -> Noise {
        Noise(seed.map { GaussianNoise(nonPrivateSeed: $0) } ?? GaussianNoise())
    }

    package func resume(from checkpoint: Checkpoint, nonPrivateSeed seed: UInt64?) -> Noise {
        Noise(
            seed.map { GaussianNoise(nonPrivateSeed: $0, resumingAt: checkpoint.position) } ?? GaussianNoise())
    }

    /// The event of T steps, with noise that is independent from step to step:
    ///
    /// | participation | event |
    /// |---|---|
    /// | in every step with probability q | T × Poisson(q, Gaussian z) |
    /// | in each of at most K slots with probability r | K × Poisson(r, Gaussian z) |
    /// | of those drawn with probability q, at most m | T × truncated Poisson |
    /// | m of n, with or without replacement | T × (Gaussian z on m of n) |
    /// | in k steps of each epoch of t | (k·⌊T/t⌋ + min(k, T mod t)) × Gaussian z |
    ///
    /// **Guarantee:** the event is never less than what the steps do. Two rows are **conservative**:
    ///
    /// - Slots are taken to be known. Given them, an example's steps are Poisson samples of rate r, and not knowing
    ///   them can only help. Nor does it count how far apart they are: noise of different steps is independent.
    /// - Of epochs, participations are counted, and nothing of the uncertainty about when they are. Where examples
    ///   choose their steps independently, that holds for every relation: given one example's steps, the others' are
    ///   as they would be without it, and δ is at most the average over those steps. The amplification of arXiv
    ///   2410.06266, 2412.16802 and 2502.08202 is not claimed; for shuffled epochs there is none to be claimed, and
    ///   accounting them as Poisson samples is a common mistake (arXiv 2403.17673).
    package func event(
        of pattern: ParticipationPattern, noiseMultiplier z: Double
    ) throws(AccountingError) -> PrivacyEvent {
        switch pattern.choice {
        case .eachStep(let q):
            return try .dpSGD(noiseMultiplier: z, samplingProbability: q, iterations: pattern.iterations)
        case .slots(let most, _, let r):
            return try .dpSGD(noiseMultiplier: z, samplingProbability: r, iterations: most)
        case .truncated(let q, let m, let n):
            let step = try PrivacyEvent.truncatedPoissonSampledGaussian(
                datasetSize: n, probability: q, truncatedBatchSize: m, noiseMultiplier: z)
            return try .selfComposed(step, count: pattern.iterations)
        case .fixedSize(let m, let n, let isWithReplacement):
            let gaussian = try PrivacyEvent.gaussian(noiseMultiplier: z)
            let step =
                isWithReplacement
                ? try PrivacyEvent.sampledWithReplacement(sourceSize: n, sampleSize: m, gaussian)
                : try PrivacyEvent.sampledWithoutReplacement(sourceSize: n, sampleSize: m, gaussian)
            return try .selfComposed(step, count: pattern.iterations)
        case .epochs:
            return try .selfComposed(.gaussian(noiseMultiplier: z), count: pattern.mostParticipations)
        }
    }
}

extension GaussianMechanism: Codable {
    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(except: ["kind"])
    }

    /// Writes an empty object: there is nothing to configure.
    package func encode(to encoder: any Encoder) throws {
        _ = encoder.container(keyedBy: NoKeys.self)
    }

    private enum NoKeys: CodingKey {}
}

extension NoiseScheme {
    /// Independent Gaussian noise in every step.
    public static var gaussian: NoiseScheme { NoiseScheme(GaussianMechanism()) }
}
