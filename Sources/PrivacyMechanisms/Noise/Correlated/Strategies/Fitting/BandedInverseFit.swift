import Foundation

/// γ-BIFR with the γ that has the least loss, by golden-section search over log(1 − γ): the more steps, the closer the
/// best γ of few terms is to 1.
enum BandedInverseFit {
    /// (√5 − 1)/2.
    private static let ratio = (5.0.squareRoot() - 1) / 2

    static func strategy(
        terms: Int, gamma: Double?, goal: StrategyGoal, progress: (Int, Double) -> Void
    ) throws(PrivacyMechanismError) -> BandedInverseStrategy {
        func strategy(_ gamma: Double) throws(PrivacyMechanismError) -> BandedInverseStrategy {
            try BandedInverseStrategy.bifr(gamma: gamma, terms: terms, steps: goal.steps)
        }
        if let gamma { return try strategy(gamma) }
        func loss(_ logarithm: Double) throws(PrivacyMechanismError) -> Double {
            goal.rootLoss(of: .bandedInverse(try strategy(1 - exp(logarithm))))
        }
        var (low, high) = (-log(100 * Double(goal.steps)), log(0.999))
        var (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
        var (atLeft, atRight) = (try loss(left), try loss(right))
        // The bracket shrinks by 0.618 each time: to 10⁻⁶ of its width.
        for iteration in 1...29 {
            if atLeft <= atRight {
                (high, right, atRight) = (right, left, atLeft)
                left = high - ratio * (high - low)
                atLeft = try loss(left)
            } else {
                (low, left, atLeft) = (left, right, atRight)
                right = low + ratio * (high - low)
                atRight = try loss(right)
            }
            progress(iteration, min(atLeft, atRight))
        }
        return try strategy(1 - exp(atLeft <= atRight ? left : right))
    }
}
