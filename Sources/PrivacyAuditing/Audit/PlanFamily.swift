import Foundation
import PrivacyAccounting
import PrivateTraining

/// A plan with other noise multipliers than its own.
struct PlanFamily {
    private let plan: PrivacyPlan

    init(_ plan: PrivacyPlan) { self.plan = plan }

    /// The ε of the largest noise multiplier with δ(0) ≥ `totalVariation`: what tells canaries apart so well has that
    /// ε or a larger one.
    ///
    /// **Guarantee:** at most the ε of every member whose δ(0) is as large. Multipliers are taken from above, and of ε
    /// the end that no analysis can go below.
    func epsilon(totalVariation: Double) throws(AccountingError) -> Double {
        // Multipliers beside which the plan's own is small or large.
        let range = 64.0
        guard totalVariation > 0 else { return 0 }
        let own = plan.noiseMultiplier > 0 ? plan.noiseMultiplier : 1
        var (low, high) = (own / range, own * range)
        if try reaches(totalVariation, high) { return try epsilon(high) }
        // ln(range²)·2⁻¹⁴: 5e-4.
        for _ in 0..<14 {
            let middle = (low * high).squareRoot()
            if try reaches(totalVariation, middle) { low = middle } else { high = middle }
        }
        return try epsilon(high)
    }

    private func reaches(_ totalVariation: Double, _ z: Double) throws(AccountingError) -> Bool {
        // Less noise than there can be promises nothing.
        if z < plan.noise.leastMultiplier { return true }
        return try accountant().delta(of: plan.event(noiseMultiplier: z), epsilon: 0) >= totalVariation
    }

    private func epsilon(_ z: Double) throws(AccountingError) -> Double {
        let ends = try accountant().epsilonEnds(of: plan.event(noiseMultiplier: z), delta: plan.delta)
        return ends.lower ?? ends.upper
    }

    /// The tight one, whichever the plan names.
    private func accountant() throws(AccountingError) -> any PrivacyAccountant { try plan.accountant(.pld) }
}
