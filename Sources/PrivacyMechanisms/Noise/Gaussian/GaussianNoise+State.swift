import PyTrees

extension GaussianNoise: NoiseState {
    /// y = (Σ + zΔξ)/N, ξ standard normal and independent of every step before.
    package mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        let deviation = try batch.standardDeviation()
        return batch.released { sum, factor, scale, gradient in
            addNoise(to: sum, factor: factor, scale: scale, standardDeviation: deviation, into: &gradient)
        }
    }

    package mutating func noisyCount(halves: Int, standardDeviation: Double) -> Double {
        Double(halves) / 2 + standardDeviation * next()
    }

    package borrowing func checkpoint() -> NoiseCheckpoint {
        NoiseCheckpoint(
            FloatingPointGaussianMechanism.Checkpoint(position: position), of: FloatingPointGaussianMechanism())
    }
}
