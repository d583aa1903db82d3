import PrivacyAccounting

/// Independent discrete Gaussian noise on exact integer sums in every step: DP-SGD for the numbers that a machine
/// computes. It has no configuration.
///
/// Sums are integers on a ``SumGrid`` of sensitivity M; the noise is N_ℤ(0, (zM)²), drawn exactly. What follows (the
/// product with the grid's spacing, the division by N, the inverse transform) is post-processing.
package struct DiscreteGaussianMechanism: UnconfiguredMechanism {
    package static let kind = "discreteGaussian"

    /// How far the stream of a seeded run has come. A stream under a secure key is not gone on with.
    package struct Checkpoint: Codable, Sendable {
        let position: UInt64
    }

    package init() {}

    package var sums: SumArithmetic { .exact }

    /// Noise of one step has nothing to do with that of others, and M is the same for every clip norm.
    package var allowsChangingSensitivity: Bool { true }

    /// The event of steps with continuous Gaussian noise of multiplier z_eff: see ``cover(noiseMultiplier:)``.
    ///
    /// **Guarantee:** T steps are covered by it up to the slack s of ``slack(steps:)``: δ(ε + 2s) ≤ e^s·δ_event(ε). See
    /// ``/PrivacyAccounting/ContinuousGaussianCover``.
    ///
    /// Throws also for noise so small that a grid would be too coarse.
    package func event(
        of pattern: ParticipationPattern, noiseMultiplier z: Double
    ) throws(AccountingError) -> PrivacyEvent {
        if !(z > 0 && z.isFinite) { return try pattern.gaussianEvent(noiseMultiplier: z) }
        let cover = try Self.cover(noiseMultiplier: z)
        return try pattern.gaussianEvent(noiseMultiplier: cover.effectiveNoiseMultiplier)
    }

    /// How noise of multiplier z > 0 is accounted: z_eff = z·√(1 − (σ_d/σ)²), σ_d = 2, σ = min(zM, 2²⁴), for the least
    /// M that a grid under such noise has.
    ///
    /// **Guarantee:** no sum has noise of fewer than σ grid units, and no count of an adaptive clip norm beside it. A
    /// part of deviation S ≥ σ has an effective variance of S² − σ_d² ≥ S²(1 − (σ_d/σ)²), so that parts which together
    /// cost what z costs, together cost no more than z_eff does. In detail:
    ///
    /// - A sum's z_g ≥ z, and z_g·M ≥ zM unless M is smaller for z_g; z_g·M is then above 2²⁵.
    /// - A count has at least 2²⁴ units for σ_b ≥ 2⁻¹¹, and 2³⁵·σ_b > 2³⁴·z below, since σ_b > z/2.
    package static func cover(noiseMultiplier z: Double) throws(AccountingError) -> ContinuousGaussianCover {
        let sigma = min(z * SumGrid.leastSensitivity(noiseMultiplier: z), 0x1p24)
        return try ContinuousGaussianCover(sigma: sigma, sensitivity: sigma / z)
    }

    /// s of `steps` steps, each over 2⁴⁰ coordinates: more than any sum has (``SumGrid``), with the count of an
    /// adaptive clip norm. About 2.3·10⁻²² for each step.
    ///
    /// What ``DiscreteGaussianNoise`` cuts off has a probability below 2·e⁻⁵¹² a coordinate. All of it is less than the
    /// 2⁻⁵⁰·δ by which the slack lowers δ, for δ ≥ 10⁻¹⁷⁸ and up to 10¹⁵ steps.
    package func slack(steps: Int) throws(AccountingError) -> ContinuousCoverSlack? {
        let cover = try ContinuousGaussianCover(sigma: SumGrid.smallestDeviation, sensitivity: 1)
        return try cover.slack(releases: steps, coordinates: SumGrid.mostColumns + 1)
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

extension NoiseScheme {
    /// Independent discrete Gaussian noise on exact sums in every step: what plans have unless they name another.
    public static var discreteGaussian: NoiseScheme { NoiseScheme(DiscreteGaussianMechanism()) }
}
