import PyTrees
import Requirements

extension DiscreteGaussianNoise: NoiseState {
    /// y = (S + ξ)·γ/N, S the integers of the batch, ξ from N_ℤ(0, (zM)²), independent of every step before.
    package mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        let noiseMultiplier = batch.noiseMultiplier
        return batch.releasedExactly { sum, grid, unit, scale, gradient in
            let layout = gradient.layout
            let table = table(sigma: grid.deviation(noiseMultiplier: noiseMultiplier))
            gradient.withUnsafeMutableValues { out in
                guard let base = out.baseAddress else { return }
                scale.withUnsafeValues(matching: layout) { scale in
                    // Threads finish disjoint columns.
                    nonisolated(unsafe) let (base, scale) = (base, scale)
                    forEachChunk(of: out.count, table) { noise, columns in
                        sum.finish(columns, noise: noise, scale: scale, spacing: unit, into: base)
                    }
                }
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
