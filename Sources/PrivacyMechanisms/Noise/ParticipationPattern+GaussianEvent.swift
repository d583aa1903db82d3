import PrivacyAccounting

extension ParticipationPattern {
    /// The event of T steps, with noise that is independent from step to step:
    ///
    /// | participation | event |
    /// |---|---|
    /// | in every step with probability q | T × Poisson(q, Gaussian z) |
    /// | in each of at most K known slots with probability r | K × Poisson(r, Gaussian z) |
    /// | in each of at most K slots, one of c steps, with probability r | K × (1 of c steps, with probability r) |
    /// | in every b-th step, of those drawn with probability q at most m | ⌈T/b⌉ × truncated Poisson |
    /// | m of n, with or without replacement | T × (Gaussian z on m of n) |
    /// | in k steps of each epoch of t, chosen anew | ⌊T/t⌋ × (k of t steps), and a part of an epoch |
    /// | in the same k steps of each epoch of t | k of t steps, at the noise z/√⌈T/t⌉ |
    /// | in k steps of each epoch of t, depending on others | (k·⌊T/t⌋ + min(k, T mod t)) × Gaussian z |
    ///
    /// **Guarantee:** the event is never less than what the steps do.
    ///
    /// - Which steps an example is in does not depend on others where it chooses by itself: given theirs, a run is
    ///   post-processing of one number for each step, 1 or 0 plus noise, as earlier outcomes determine each step's
    ///   gradient. Hence what is said of numbers holds for gradients that depend on earlier steps.
    /// - The same steps in each epoch: of the outcomes of one place in all E epochs their sum is a sufficient
    ///   statistic, which is E plus noise √E·z.
    /// - A part of an epoch, or of a slot's c steps, tells less than the whole. The first T < t steps hold an example
    ///   that is in one of t with probability T/t, and then in one of T.
    /// - Phases of slots are taken to be known. Given them slots are independent, and not knowing them can only help.
    ///   Nor does it count how far apart they are: noise of different steps is independent.
    /// - Where a choice depends on others, participations are counted: given one example's steps, δ is at most that of
    ///   as many Gaussians. For shuffled epochs no amplification is known, and accounting them as Poisson samples is a
    ///   common mistake (arXiv 2403.17673).
    func gaussianEvent(noiseMultiplier z: Double) throws(AccountingError) -> PrivacyEvent {
        switch choice {
        case .eachStep(let q):
            return try .dpSGD(noiseMultiplier: z, samplingProbability: q, iterations: iterations)
        case .slots(let most, _, let r, let choices):
            let slot = try PrivacyEvent.randomAllocated(
                steps: choices, participations: 1, probability: r, noiseMultiplier: z)
            return try choices > 1
                ? .selfComposed(slot, count: most)
                : .dpSGD(noiseMultiplier: z, samplingProbability: r, iterations: most)
        case .truncated(let q, let m, let n, _):
            let step = try PrivacyEvent.truncatedPoissonSampledGaussian(
                datasetSize: n, probability: q, truncatedBatchSize: m, noiseMultiplier: z)
            return try .selfComposed(step, count: mostParticipations)
        case .fixedSize(let m, let n, let isWithReplacement):
            let gaussian = try PrivacyEvent.gaussian(noiseMultiplier: z)
            let step =
                isWithReplacement
                ? try PrivacyEvent.sampledWithReplacement(sourceSize: n, sampleSize: m, gaussian)
                : try PrivacyEvent.sampledWithoutReplacement(sourceSize: n, sampleSize: m, gaussian)
            return try .selfComposed(step, count: iterations)
        case .epochs(let length, let participations, let isSameInEach):
            let (epochs, rest) = iterations.quotientAndRemainder(dividingBy: length)
            if dependsOnUnitCount {
                return try .selfComposed(.gaussian(noiseMultiplier: z), count: mostParticipations)
            }
            if isSameInEach, epochs > 0 {
                let count = Double(epochs) + (rest > 0 ? 1 : 0)
                // Rounded down, by two roundings.
                return try .randomAllocated(
                    steps: length, participations: participations,
                    noiseMultiplier: z / count.squareRoot() * (1 - 0x1p-51))
            }
            let epoch = try PrivacyEvent.randomAllocated(
                steps: length, participations: participations, noiseMultiplier: z)
            return try .composed([
                .selfComposed(epoch, count: epochs),
                Self.part(rest, ofEpoch: length, participations: participations, noiseMultiplier: z),
            ])
        }
    }

    /// The first `rest` steps of an epoch of which an example is in `participations` steps.
    private static func part(
        _ rest: Int, ofEpoch length: Int, participations: Int, noiseMultiplier z: Double
    ) throws(AccountingError) -> PrivacyEvent {
        if rest == 0 { return .noOp }
        if participations == 1 {
            // Rounded up.
            let probability = min(1, (Double(rest) / Double(length)).nextUp)
            return try .randomAllocated(steps: rest, participations: 1, probability: probability, noiseMultiplier: z)
        }
        // Both are bounds: the whole epoch, and as many participations as the part has room for. Under much noise the
        // epoch is like k²/t Gaussians.
        let most = min(rest, participations)
        if Double(most) * Double(length) < Double(participations) * Double(participations) {
            return try .selfComposed(.gaussian(noiseMultiplier: z), count: most)
        }
        return try .randomAllocated(steps: length, participations: participations, noiseMultiplier: z)
    }
}
