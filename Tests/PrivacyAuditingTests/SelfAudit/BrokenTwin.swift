/// A way of breaking privacy: one part of a step, replaced.
enum BrokenTwin: String, CaseIterable, Sendable, CustomStringConvertible {
    case noNoise = "no noise"
    case halfNoise = "noise of σ/2"
    case noiseOnTheMean = "noise on the mean, as if it were the sum"
    case noiseOnHalves = "noise of σ/√2, twice, each on one half"
    case doubledClipNorm = "clip norm × 2"
    case unclippedBias = "unclipped bias"
    case inverseScale = "norms under 1/s, sums under s"
    case repeatedNoise = "the same noise at two steps"
    case shuffledSampling = "shuffled epochs at the price of Poisson sampling"
    case unnoisedEmptyBatch = "an empty batch without noise"
    case noisePerMicrobatch = "noise for each microbatch that there is"
    case columnsNotNormalised = "columns of the strategy not normalised"

    var description: String { rawValue }
}
