import PrivacyAccounting
import PrivacyMechanisms
import Requirements

/// Means and variances of the features' channels, released under noise before the first step, by which every example
/// is normalised: one more release, which is part of the plan.
///
///     {"channelCount": 81, "l2ClipNorm": 1, "noiseMultiplier": 8}
///
/// With K channels, feature i is of channel i mod K. An example contributes the vector
///
///     v = (m_1, …, m_K, q_1, …, q_K),   m_c = mean of z,   q_c = mean of z²
///
/// over its features z of channel c, scaled down to an L2 norm of at most C. With s̃ = (Σ v + noise) / N, N the number
/// of examples that the *plan* names, channel c becomes
///
///     z ↦ (z − m̃_c) / √max(q̃_c − m̃_c², z_n·C/N)
///
/// so that no variance counts as less than the standard deviation of the noise on q̃.
///
/// **Guarantee:** s̃ is the Gaussian mechanism of noise multiplier z_n = `noiseMultiplier`.
///
/// - Whoever is added or removed moves Σ v by at most C: each example's v depends on that example only.
/// - The event of a plan contains it, whether or not any step was taken: it is within the budget that the plan's noise
///   is calibrated to.
/// - Only a ``Trainer`` releases it, once in a run: a run that goes on has it from its checkpoint.
/// - N is public. It is not the number of examples that are there.
///
/// Source: Tramèr and Boneh, arXiv 2011.11660, section 3. They bound means and squares apart, by quantiles of the data;
/// C is a constant here, and is to be chosen without a look at the data.
public struct PrivateNormalization: Codable, Hashable, Sendable {
    /// K, at least 1.
    public let channelCount: Int
    /// C, above 0 and finite.
    public let l2ClipNorm: Double
    /// z_n: noise standard deviation over C; 0 for none, which is no privacy.
    public let noiseMultiplier: Double

    /// Throws ``PlanError/outOfRange(name:value:allowed:)`` unless K ≥ 1, C > 0 is finite, and z_n ≥ 0 is finite.
    public init(channelCount: Int, l2ClipNorm: Double, noiseMultiplier: Double) throws(PlanError) {
        guard channelCount >= 1, channelCount <= 1 << 20 else {
            throw .outOfRange(
                name: "normalization.channelCount", value: "\(channelCount)", allowed: "between 1 and \(1 << 20)")
        }
        guard (1e-30...1e30).contains(l2ClipNorm) else {
            throw .outOfRange(
                name: "normalization.l2ClipNorm", value: "\(l2ClipNorm)", allowed: "between 1e-30 and 1e30")
        }
        guard noiseMultiplier >= 0, noiseMultiplier < .infinity else {
            throw .outOfRange(
                name: "normalization.noiseMultiplier", value: "\(noiseMultiplier)", allowed: "at least 0, and finite")
        }
        self.channelCount = channelCount
        self.l2ClipNorm = l2ClipNorm
        self.noiseMultiplier = noiseMultiplier
    }

    private enum CodingKeys: CodingKey, CaseIterable {
        case channelCount, l2ClipNorm, noiseMultiplier
    }

    /// Reads the three numbers. Throws `DecodingError` for other keys, and what making it throws.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            channelCount: box.decode(Int.self, forKey: .channelCount),
            l2ClipNorm: box.decode(Double.self, forKey: .l2ClipNorm),
            noiseMultiplier: box.decode(Double.self, forKey: .noiseMultiplier))
    }

    /// What the release is accounted as beside steps under `noise`: every example takes part in one release, whose
    /// noise has nothing to do with theirs.
    func event(noise: NoiseScheme) throws(AccountingError) -> PrivacyEvent {
        try noise.independent.event(
            of: ParticipationPattern(iterations: 1, choice: .eachStep(probability: 1)),
            noiseMultiplier: noiseMultiplier)
    }

    /// Throws ``PlanError/channelsDoNotFit(channels:features:)`` unless the channels divide the features.
    package func check(featureCount: Int) throws(PlanError) {
        guard featureCount.isMultiple(of: channelCount), featureCount > 0 else {
            throw .channelsDoNotFit(channels: channelCount, features: featureCount)
        }
    }
}
