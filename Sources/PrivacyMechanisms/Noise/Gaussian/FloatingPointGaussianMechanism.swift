import PrivacyAccounting

/// Independent Gaussian noise in every step, in Float32 on sums in Float64: DP-SGD as every library has it, for
/// comparison. It has no configuration.
///
/// - Warning: its guarantee is one for real numbers. The low-order bits of floating-point sums and normals tell
///   neighbouring data apart (Mironov, CCS 2012), and ε does not cover this.
package struct FloatingPointGaussianMechanism: UnconfiguredMechanism {
    package static let kind = "floatingPointGaussian"

    /// How far the stream of a seeded run has come. A stream under a secure key is not gone on with.
    package struct Checkpoint: Codable, Sendable {
        let position: UInt64
    }

    package init() {}

    package var sums: SumArithmetic { .floatingPoint }

    /// Noise of one step has nothing to do with that of others.
    package var allowsChangingSensitivity: Bool { true }

    package func begin(nonPrivateSeed seed: UInt64?) -> Noise {
        Noise(seed.map { GaussianNoise(nonPrivateSeed: $0) } ?? GaussianNoise(), of: self)
    }

    package func resume(from checkpoint: Checkpoint, nonPrivateSeed seed: UInt64?) -> Noise {
        Noise(
            seed.map { GaussianNoise(nonPrivateSeed: $0, resumingAt: checkpoint.position) } ?? GaussianNoise(),
            of: self)
    }

    /// That of Gaussian noise that is independent from step to step. Rounding is not in it.
    package func event(
        of pattern: ParticipationPattern, noiseMultiplier: Double
    ) throws(AccountingError) -> PrivacyEvent {
        try pattern.gaussianEvent(noiseMultiplier: noiseMultiplier)
    }

    /// Nil: nothing bounds what rounding costs.
    package func slack(steps: Int) -> ContinuousCoverSlack? { nil }
}

extension NoiseScheme {
    /// Independent Gaussian noise in every step, in floating point: for comparison.
    ///
    /// - Warning: the low-order bits of its sums and normals can tell neighbouring data apart; ε does not cover this.
    public static var floatingPointGaussian: NoiseScheme { NoiseScheme(FloatingPointGaussianMechanism()) }
}
