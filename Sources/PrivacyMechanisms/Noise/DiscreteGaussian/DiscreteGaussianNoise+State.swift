import PyTrees
import Requirements

extension DiscreteGaussianNoise: NoiseState {
    /// y = (S + ξ)·γ/N, S the integers of the batch, ξ from N_ℤ(0, (zM)²), independent of every step before.
    package mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        let (noiseMultiplier, columns) = (batch.noiseMultiplier, batch.columns)
        return batch.releasedExactly { release in
            let table = table(sigma: release.grid.deviation(noiseMultiplier: noiseMultiplier))
            forEachChunk(of: columns, at: release.columns, table) { noise, columns in
                release.finish(columns, noise: noise)
            }
        }
    }

    /// The count on a grid of 2⁻ᵏ⁻¹ with noise of at least 2²³ of its units, if σ_b ≥ 2⁻¹¹.
    ///
    /// **Guarantee:** it is the discrete Gaussian mechanism for numbers that one example changes by 2ᵏ units.
    package mutating func noisyCount(halves: Int, standardDeviation: Double) -> Double {
        let inHalves = 2 * standardDeviation
        let bits = max(0, min(34, 24 - Int(inHalves.exponent)))
        let deviation = Double(sign: .plus, exponent: bits, significand: inHalves)
        require(
            deviation >= SumGrid.smallestDeviation && deviation <= SumGrid.largestDeviation,
            "A count cannot have exact noise of standard deviation \(standardDeviation).")
        let noisy = halves << bits + next(sigma: deviation)
        return Double(sign: .plus, exponent: -bits - 1, significand: Double(noisy))
    }

    package borrowing func checkpoint() -> NoiseCheckpoint {
        NoiseCheckpoint(DiscreteGaussianMechanism.Checkpoint(position: position), of: DiscreteGaussianMechanism())
    }
}
