import PrivacyMechanisms
import PrivateTraining

/// Who takes part in steps whose noise is correlated, where a configuration says no more than how large batches are.
///
/// A strategy of b bands has cyclic Poisson sampling with b groups, which amplifies, where an epoch has as many steps.
/// Every other has balls in bins: each unit, an example or a user, in the same step of every epoch.
struct CorrelatedSampling {
    let scheme: SamplingScheme
    /// What was chosen.
    let text: String
    let reason: String

    /// Nil for noise that needs none, and for a batch that is no part of `unitCount` units.
    init?(for noise: PlannedNoise?, unitCount: Int, expectedBatchSize size: Double?) {
        guard let bands = noise?.mostBands, bands > 1, let size, size > 0, size <= Double(unitCount) else {
            return nil
        }
        let epoch = Double(unitCount) / size
        if Double(bands) <= epoch,
            let sampler = try? CyclicPoissonSampler(
                exampleCount: unitCount, bands: bands, samplingProbability: min(1, Double(bands) / epoch))
        {
            scheme = .cyclicPoisson(sampler)
            text = "cyclic-poisson, \(bands) groups"
            reason = "as many as the strategy has bands: that amplifies"
        } else if let sampler = try? BallsInBinsSampler(exampleCount: unitCount, bins: Int(max(1, epoch.rounded()))) {
            scheme = .ballsInBins(sampler)
            text = "balls-in-bins, epochs of \(sampler.bins) steps"
            reason = "the same step of every epoch, for noise that is correlated beyond it"
        } else {
            return nil
        }
    }
}
