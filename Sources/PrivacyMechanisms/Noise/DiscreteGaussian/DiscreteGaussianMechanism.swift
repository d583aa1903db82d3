import PrivacyAccounting
import Requirements

/// Independent discrete Gaussian noise on exact integer sums in every step: DP-SGD for the numbers that a machine
/// computes. It has no configuration.
///
/// Sums are integers on a ``SumGrid`` of sensitivity M; the noise is N_ℤ(0, (zM)²), drawn exactly. What follows (the
/// product with the grid's spacing, the division by N, the inverse transform) is post-processing.
package struct DiscreteGaussianMechanism: NoiseMechanism {
    package static let kind = "discreteGaussian"

    /// How far the stream of a seeded run has come. A stream under a secure key is not gone on with.
    package struct Checkpoint: Codable, Sendable {
        let position: UInt64
    }

    package init() {}

    package var sums: SumArithmetic { .exact }

    /// Noise of one step has nothing to do with that of others, and M is the same for every clip norm.
    package var allowsChangingSensitivity: Bool { true }

    /// The event of steps with continuous Gaussian noise of multiplier z_eff = √((zM)² − σ_d²)/M, σ_d = 2, for the
    /// least M that a grid under noise of multiplier z has.
    ///
    /// **Guarantee:** T steps over P parameters are covered by it up to the slack s of
    /// ``coverSlack(steps:parameters:)``: δ(ε + 2s) ≤ e^s·δ_event(ε). See
    /// ``PrivacyAccounting/ContinuousGaussianCover``.
    ///
    /// Throws also for noise so small that a grid would be too coarse.
    package func event(
        of pattern: ParticipationPattern, noiseMultiplier z: Double
    ) throws(AccountingError) -> PrivacyEvent {
        if !(z > 0 && z.isFinite) { return try pattern.gaussianEvent(noiseMultiplier: z) }
        let cover = try Self.cover(noiseMultiplier: z)
        return try pattern.gaussianEvent(noiseMultiplier: cover.effectiveNoiseMultiplier)
    }

    /// How noise of multiplier z > 0 is accounted.
    package static func cover(noiseMultiplier z: Double) throws(AccountingError) -> ContinuousGaussianCover {
        let sensitivity = SumGrid.leastSensitivity(noiseMultiplier: z)
        return try ContinuousGaussianCover(sigma: z * sensitivity, sensitivity: sensitivity)
    }

    package func begin(nonPrivateSeed seed: UInt64?) -> Noise {
        Noise(seed.map { DiscreteGaussianNoise(nonPrivateSeed: $0) } ?? DiscreteGaussianNoise(), of: self)
    }

    package func resume(from checkpoint: Checkpoint, nonPrivateSeed seed: UInt64?) -> Noise {
        Noise(
            seed.map { DiscreteGaussianNoise(nonPrivateSeed: $0, resumingAt: checkpoint.position) }
                ?? DiscreteGaussianNoise(),
            of: self)
    }
}

extension DiscreteGaussianMechanism: Codable {
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
    /// Independent discrete Gaussian noise on exact sums in every step: what plans have unless they name another.
    public static var discreteGaussian: NoiseScheme { NoiseScheme(DiscreteGaussianMechanism()) }
}
