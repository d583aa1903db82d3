import PrivacyAccounting
import PrivacyMechanisms

/// The accountant that calibrates a plan and reports on it. It is chosen by name, and never replaced silently.
///
/// This is the registry of accountants: a case, and what `make(relation:)` makes of it. Plans, reports and `dp`
/// ask the `PrivacyAccountant` that it makes, and nothing else.
public enum PlanAccountant: String, Codable, Hashable, Sendable, CaseIterable {
    /// ``/PrivacyAccounting/PrivacyLossDistributionAccountant``: tight, for every sampler.
    case pld
    /// ``/PrivacyAccounting/RenyiAccountant``: some percent above it, and more for allocations; knows no truncated
    /// batches, and no sampling with replacement.
    case rdp

    /// The accountant of this name.
    package func make(relation: NeighboringRelation) -> any PrivacyAccountant {
        switch self {
        case .pld: PrivacyLossDistributionAccountant(relation: relation)
        case .rdp: RenyiAccountant(relation: relation)
        }
    }
}

extension PlanAccountant {
    /// The accountant of `steps` steps under `noise`, asked for ``/PrivacyMechanisms/NoiseScheme``'s own events: what
    /// its discrete noise is off by is in every answer.
    package func make(
        relation: NeighboringRelation, noise: NoiseScheme, steps: Int
    ) throws(AccountingError) -> any PrivacyAccountant {
        let accountant = make(relation: relation)
        guard let slack = try noise.mechanism.slack(steps: steps) else { return accountant }
        return accountant.covering(slack)
    }

    /// The event of the steps of `pattern` under noise of multiplier z, and of the release beside them.
    static func event(
        of pattern: ParticipationPattern, noise: NoiseScheme, noiseMultiplier: Double,
        beside normalization: PrivateNormalization?
    ) throws(AccountingError) -> PrivacyEvent {
        let steps = try noise.event(of: pattern, noiseMultiplier: noiseMultiplier)
        guard let normalization else { return steps }
        return .composed([try normalization.event(noise: noise), steps])
    }

    /// The least noise multiplier of steps that stay within the budget, with the release beside them, and which the
    /// mechanism can make.
    func noiseMultiplier(
        noise: NoiseScheme, pattern: ParticipationPattern, beside normalization: PrivateNormalization?,
        epsilon: Double, delta: Double, relation: NeighboringRelation
    ) throws -> Double {
        guard delta > 0 else {
            throw PlanError.outOfRange(
                name: "delta", value: "\(delta)", allowed: "above 0 for a budget: Gaussian noise has no ε at δ = 0")
        }
        let releases = pattern.iterations + (normalization == nil ? 0 : 1)
        let accountant = try make(relation: relation, noise: noise, steps: releases)
        return try Calibration(accountant, epsilon: epsilon, delta: delta).noiseMultiplier {
            (z: Double) throws(AccountingError) in
            // Less noise than there can be promises nothing.
            if z < noise.leastMultiplier { return .nonPrivate }
            return try Self.event(of: pattern, noise: noise, noiseMultiplier: z, beside: normalization)
        }
    }
}
