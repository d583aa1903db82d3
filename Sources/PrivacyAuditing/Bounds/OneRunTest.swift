import Foundation
import PrivacyAccounting

/// A test whether a mechanism is (ε, δ)-private, by many canaries in one run (Steinke, Nasr, Jagielski,
/// arXiv 2305.08846, section 5).
///
/// Of m canaries, each included by an independent fair coin, r are guessed and v are right. With q = 1/(1 + e^{−ε}),
///
///     β = P(Bin(r, q) ≥ v)     α = max_{1 ≤ i ≤ v} P(v − i ≤ Bin(r, q) < v)/i     p = β + 2mδα
///
/// **Guarantee:** if the mechanism is (ε, δ)-private, the test rejects with a probability of at most the significance.
/// Guesses may depend on all of the mechanism's output. p is rounded up.
struct OneRunTest {
    let guesses: Guesses
    let delta: Double
    let significance: Double

    /// Whether p ≤ significance. O(v), and the summation of β.
    func rejects(epsilon: Double) -> Bool {
        let (r, v) = (guesses.guessCount, guesses.truePositives)
        if v == 0 { return false }
        // Up: more guesses can be right. The quotient errs by 6 ulps of 1 at most.
        let q = min(1, 1 / (1 + exp(-epsilon)) * (1 + 0x1p-49))
        let tail = BinomialProbability(from: v, through: r, trials: r, success: q).upper
        if tail > significance { return false }
        if delta == 0 { return true }
        // p(v − i) downward from v − 1. Terms fall below the mode: the mean of the first i then falls, too.
        var (sum, best) = (0.0, 0.0)
        let mode = Int(Double(r + 1) * q)
        for i in 1...v {
            let term = BinomialProbability(from: v - i, through: v - i, trials: r, success: q).upper
            sum += term
            best = max(best, sum / Double(i))
            if v - i < mode - 1, term < best { break }
        }
        // i additions of relative error 2⁻⁵³ each, for fewer than 2³⁰ guesses.
        let p = (tail + 2 * Double(guesses.canaryCount) * delta * best * (1 + 0x1p-22)) * (1 + 0x1p-50)
        return p <= significance
    }
}
