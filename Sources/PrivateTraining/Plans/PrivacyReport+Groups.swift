import Foundation
import Requirements

extension PrivacyReport {
    /// An (ε, δ) for groups of units: two data sets that differ in all members of a group are as hard to tell apart.
    public struct GroupGuarantee: Hashable, Sendable {
        /// g, the number of units in a group.
        public let size: Int
        /// An upper bound.
        public let epsilon: Double
        /// The δ that goes with it, in (0, 1).
        public let delta: Double
    }

    /// What the first of the ``guarantees``, (ε, δ) of one unit, proves of any `size` units together:
    ///
    ///     (gε, δ·(1 + e^ε + … + e^{(g−1)ε}))
    ///
    /// It holds for every mechanism, from P₀ ≤ e^ε P₁ + δ, P₁ ≤ e^ε P₂ + δ, … for one unit after the other (Dwork and
    /// Roth, 2014, theorem 2.2, with δ), and is **loose**: an analysis of the group itself would show less. For small
    /// groups where there is none: families, people with several accounts. Nil where the first guarantee has no finite
    /// ε, and where δ would be 1 or more, which promises nothing. Traps for a size below 1.
    ///
    /// **Guarantee:** both numbers are rounded up.
    public func group(of size: Int) -> GroupGuarantee? {
        require(size >= 1, "A group of \(size) was asked for, but it must have at least 1.")
        guard let guarantee = guarantees.first, let epsilon = guarantee.epsilon, epsilon.isFinite else { return nil }
        if size == 1 { return GroupGuarantee(size: 1, epsilon: epsilon, delta: guarantee.delta) }
        // From the last term on, as Horner does: each factor and sum is off by at most two units in the last place.
        var sum = 1.0
        for _ in 1..<size {
            sum = (1 + sum * exp(epsilon).nextUp).nextUp.nextUp
            if sum * guarantee.delta >= 1 { return nil }
        }
        let delta = (guarantee.delta * sum).nextUp
        return delta < 1
            ? GroupGuarantee(size: size, epsilon: (Double(size) * epsilon).nextUp, delta: delta) : nil
    }
}
