import PyTrees

extension GaussianNoise: NoiseState {
    /// y = (Σ + zΔξ)/N, ξ standard normal and independent of every step before.
    ///
    /// Throws `invalidNoiseMultiplier` if z is negative or not finite, `unboundedSensitivity` if z > 0 and the clip
    /// norm is infinite. With z = 0 no noise is drawn.
    package mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>, noiseMultiplier: Double
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        let deviation = try Self.standardDeviation(
            noiseMultiplier: noiseMultiplier, sensitivity: batch.sensitivity(for: .addOrRemoveOne))
        return batch.released { sum, factor, scale, gradient in
            addNoise(to: sum, factor: factor, scale: scale, standardDeviation: deviation, into: &gradient)
        }
    }

    package mutating func noisyCount(_ count: Double, standardDeviation: Double) -> Double {
        standardDeviation == 0 ? count : count + noiseOnGrid(standardDeviation)
    }

    package borrowing func checkpoint() -> NoiseCheckpoint {
        NoiseCheckpoint(GaussianMechanism.Checkpoint(position: position), of: GaussianMechanism())
    }

    /// Noise for a number that counts in halves, on a grid of 2ᵏ ≤ ½ and about a thousandth of the deviation.
    ///
    /// **Guarantee:** count and noise add up without rounding to a multiple of the grid, whatever the count is: the
    /// digits of the sum do not tell counts apart, as those of a Float32 normal times σ_b would.
    mutating func noiseOnGrid(_ deviation: Double) -> Double {
        let grid = min(0.5, Double(sign: .plus, exponent: max(-1000, Int(deviation.exponent) - 10), significand: 1))
        return (deviation * next() / grid).rounded() * grid
    }

    private static func standardDeviation(
        noiseMultiplier: Double, sensitivity: Double
    ) throws(PrivacyMechanismError) -> Double {
        guard noiseMultiplier >= 0, noiseMultiplier < .infinity else { throw .invalidNoiseMultiplier(noiseMultiplier) }
        if noiseMultiplier == 0 || sensitivity == 0 { return 0 }
        guard sensitivity < .infinity else { throw .unboundedSensitivity(noiseMultiplier: noiseMultiplier) }
        let deviation = noiseMultiplier * sensitivity
        // A product that underflows would be no noise at all.
        guard deviation >= .leastNormalMagnitude, deviation < .infinity else {
            throw .invalidNoiseMultiplier(noiseMultiplier)
        }
        return deviation
    }
}
