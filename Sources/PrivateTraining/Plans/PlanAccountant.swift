import PrivacyAccounting
import PrivacyMechanisms

/// Which accountant a plan is calibrated and reported by. It is chosen by name, and never replaced in silence.
public enum PlanAccountant: String, Codable, Hashable, Sendable, CaseIterable {
    /// ``PrivacyLossDistributionAccountant``: tight; knows no sampling of a fixed size.
    case pld
    /// ``RenyiAccountant``: a few percent above it; knows sampling of a fixed size without replacement.
    case rdp

    func epsilon(
        of event: PrivacyEvent, delta: Double, relation: NeighboringRelation
    ) throws(AccountingError) -> Double {
        switch self {
        case .pld: try PrivacyLossDistributionAccountant(relation: relation).epsilon(of: event, delta: delta)
        case .rdp: try RenyiAccountant(relation: relation).epsilon(of: event, delta: delta)
        }
    }

    /// The least noise multiplier whose event stays within the budget.
    func noiseMultiplier(
        noise: NoiseScheme, pattern: ParticipationPattern, epsilon: Double, delta: Double,
        relation: NeighboringRelation
    ) throws -> Double {
        guard delta > 0 else {
            throw PlanError.outOfRange(
                name: "delta", value: "\(delta)", allowed: "above 0 for a budget: Gaussian noise has no ε at δ = 0")
        }
        let event = { (z: Double) throws(AccountingError) in
            try noise.event(of: pattern, noiseMultiplier: z)
        }
        switch self {
        case .pld:
            let accountant = PrivacyLossDistributionAccountant(relation: relation)
            return try Calibration(accountant, epsilon: epsilon, delta: delta).noiseMultiplier(of: event)
        case .rdp:
            let accountant = RenyiAccountant(relation: relation)
            return try Calibration(accountant, epsilon: epsilon, delta: delta).noiseMultiplier(of: event)
        }
    }
}
