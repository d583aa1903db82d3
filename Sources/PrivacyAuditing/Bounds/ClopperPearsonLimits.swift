import Foundation
import PrivacyAccounting

/// Upper limits on both error rates of an attack, each of which may fail with half of the significance.
///
/// The limit for k of n is the p at which P(Bin(n, p) ≤ k) = significance/2 (Clopper and Pearson, 1934).
///
/// **Guarantee:** at a threshold that was given, of independent scores, both rates are at most their limits with a
/// probability of at least 1 − significance. So they are where the threshold is the j-th score of one kind in order:
/// the rate of that kind is distributed as Beta(j, n − j + 1) or less, and its limit is a quantile of that or of more.
struct ClopperPearsonLimits: Hashable {
    /// FPR: of excluded canaries above the threshold.
    let falsePositiveRate: Double
    /// FNR: of included canaries at or below the threshold.
    let falseNegativeRate: Double

    init(_ guesses: Guesses, significance: Double) {
        let half = significance / 2
        let misses = guesses.includedCount - guesses.truePositives
        falsePositiveRate = Self.upperLimit(guesses.falsePositives, of: guesses.excludedCount, significance: half)
        falseNegativeRate = Self.upperLimit(misses, of: guesses.includedCount, significance: half)
    }

    /// max(0, log((1 − δ − FNR)/FPR), log((1 − δ − FPR)/FNR)), rounded down.
    func epsilon(delta: Double) -> Double {
        max(
            Self.epsilon(delta: delta, small: falsePositiveRate, other: falseNegativeRate),
            Self.epsilon(delta: delta, small: falseNegativeRate, other: falsePositiveRate))
    }

    /// max(0, Φ⁻¹(1 − FPR) − Φ⁻¹(FNR)), rounded down.
    var mu: Double {
        // −Φ⁻¹(FPR): no rounding of 1 − FPR.
        let (first, second) = (-Normal.quantile(falsePositiveRate), -Normal.quantile(falseNegativeRate))
        // Quantiles of a few ulps each, below 40. Limits of 1 have −∞.
        return max(0, first + second - 0x1p-44)
    }

    /// max(0, log((1 − δ − other)/small)), rounded down: the difference by 2⁻⁵², the logarithm, below 700, by 2⁻⁴².
    static func epsilon(delta: Double, small: Double, other: Double) -> Double {
        let rest = 1 - delta - other - 0x1p-52
        return rest > small ? max(0, log(rest / small) - 0x1p-42) : 0
    }

    /// The limit for `count` of `trials`, rounded up.
    static func upperLimit(_ count: Int, of trials: Int, significance: Double) -> Double {
        if count >= trials { return 1 }
        return Bisection.bracket(low: Double(count) / Double(trials), high: 1) {
            BinomialProbability(from: 0, through: count, trials: trials, success: $0).upper > significance
        }.high
    }
}
