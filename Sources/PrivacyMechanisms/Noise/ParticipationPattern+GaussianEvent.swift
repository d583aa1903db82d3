import PrivacyAccounting

extension ParticipationPattern {
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
    func gaussianEvent(noiseMultiplier z: Double) throws(AccountingError) -> PrivacyEvent {
        switch choice {
        case .eachStep(let q):
            return try .dpSGD(noiseMultiplier: z, samplingProbability: q, iterations: iterations)
        case .slots(let most, _, let r):
            return try .dpSGD(noiseMultiplier: z, samplingProbability: r, iterations: most)
        case .truncated(let q, let m, let n):
            let step = try PrivacyEvent.truncatedPoissonSampledGaussian(
                datasetSize: n, probability: q, truncatedBatchSize: m, noiseMultiplier: z)
            return try .selfComposed(step, count: iterations)
        case .fixedSize(let m, let n, let isWithReplacement):
            let gaussian = try PrivacyEvent.gaussian(noiseMultiplier: z)
            let step =
                isWithReplacement
                ? try PrivacyEvent.sampledWithReplacement(sourceSize: n, sampleSize: m, gaussian)
                : try PrivacyEvent.sampledWithoutReplacement(sourceSize: n, sampleSize: m, gaussian)
            return try .selfComposed(step, count: iterations)
        case .epochs:
            return try .selfComposed(.gaussian(noiseMultiplier: z), count: mostParticipations)
        }
    }
}
