import Foundation
import PrivacyAccounting

/// The exact distribution of an attack's mistakes on the Gaussian family (arXiv 2509.08704).
///
/// n canaries, each included by an independent fair coin, have scores of N(0, 1) or N(μ, 1). The attack guesses the r
/// whose log likelihood ratios are largest in absolute value, by their signs, and u guesses are wrong. With the score's
/// quantile W ~ Beta(n − r, r + 1) above which guesses are made, and γ̄(w) the mean probability of a mistake above it,
///
///     P(T ≤ u) = E P(Bin(r, γ̄(W)) ≤ u)          r = n: P(Bin(n, Φ(−μ/2)) ≤ u)
///
/// It is the tightest test known, and one of a *family*: it says nothing of mechanisms that are not μ-GDP.
public struct ExactTail: Hashable, Sendable {
    /// n, the canaries.
    public let canaryCount: Int
    /// r, the guesses.
    public let guessCount: Int
    /// u, the wrong ones among them.
    public let mistakeCount: Int

    /// - Throws: ``AuditingError/outOfRange(name:value:allowed:)`` unless n ≥ 1, r is in [1, n] and u in [0, r].
    public init(canaryCount: Int, guessCount: Int, mistakeCount: Int) throws(AuditingError) {
        self.canaryCount = try Check.count(canaryCount, "canaryCount", atLeast: 1)
        self.guessCount = try Check.count(guessCount, "guessCount", atLeast: 1, atMost: canaryCount)
        self.mistakeCount = try Check.count(mistakeCount, "mistakeCount", atLeast: 0, atMost: guessCount)
    }

    /// A guess for every canary.
    init(all count: Int, mistakeCount: Int) {
        canaryCount = count
        guessCount = count
        self.mistakeCount = mistakeCount
    }

    /// A lower bound on μ.
    ///
    /// **Guarantee:** if the mechanism is μ-GDP, the bound is at most μ with a probability of at least `confidence`.
    /// Where r < n the expectation is a sum of upper ends of cells, and everything is rounded down.
    /// - Parameter confidence: in (0, 1).
    /// - Throws: ``AuditingError/outOfRange(name:value:allowed:)`` for a confidence outside its range.
    public func muLowerBound(confidence: Double) throws(AuditingError) -> Double {
        try Check.confidence(confidence)
        let significance = (1 - confidence) * (1 - 0x1p-52)
        return Bisection.greatest(from: 0, atMost: GaussianConversion.greatestMu) {
            probability(mu: $0) <= significance
        }
    }

    /// A lower bound on ε at `delta`, that of ``muLowerBound(confidence:)``.
    /// - Throws: as that, and unless δ is in (0, 1).
    public func epsilonLowerBound(delta: Double, confidence: Double) throws(AuditingError) -> Double {
        try Check.delta(delta, isPositive: true)
        return GaussianConversion.epsilon(mu: try muLowerBound(confidence: confidence), delta: delta)
    }

    /// P(T ≤ u), from above.
    func probability(mu: Double) -> Double {
        if mistakeCount == guessCount { return 1 }
        if guessCount == canaryCount { return few(Normal.cumulative(-mu / 2)) }
        // Scores' distance t from μ/2 in place of quantiles w = 1 − s(t): few(t) rises with t.
        let center = Double(guessCount + 1) / Double(canaryCount + 1)
        let spread = 8 * (center * (1 - center) / Double(canaryCount)).squareRoot()
        let places = [center + spread, center - spread].map { distance(share: min(1, max(1e-12, $0)), mu: mu) }
        let step = (places[1] - places[0]) / Double(Self.cells)
        var (sum, below) = (0.0, 0.0)
        for cell in 0...Self.cells {
            let tails = Self.tails(places[0] + Double(cell) * step, mu: mu)
            let upTo = quantileIsBelow(share: tails.right + tails.wrong)
            // A rise of the distribution by rounding alone is counted as well.
            sum += max(0, upTo.upper - below) * few(tails.wrong / (tails.right + tails.wrong))
            below = upTo.lower
        }
        // Shares of a relative error of 2⁻⁴⁸ have n times that in P at most.
        return min(1, (sum + (1 - below)) * (1 + Double(canaryCount) * 0x1p-46))
    }

    private static let cells = 4096

    /// P(Bin(r, γ) ≤ u), from above: γ is rounded down by more than the errors of two Φ.
    private func few(_ mistake: Double) -> Double {
        let low = mistake * (1 - 0x1p-40)
        return BinomialProbability(from: 0, through: mistakeCount, trials: guessCount, success: low).upper
    }

    /// P(W ≤ 1 − share): at most r of n scores lie above that quantile.
    private func quantileIsBelow(share: Double) -> BinomialProbability {
        BinomialProbability(from: 0, through: guessCount, trials: canaryCount, success: min(1, share))
    }

    /// The probabilities of a distance above t, with a right and with a wrong guess.
    private static func tails(_ t: Double, mu: Double) -> (right: Double, wrong: Double) {
        (Normal.cumulative(mu / 2 - t), Normal.cumulative(-mu / 2 - t))
    }

    /// The t ≥ 0 above which `share` of the distances lie.
    private func distance(share: Double, mu: Double) -> Double {
        Bisection.bracket(low: 0, high: 40 + mu) {
            let tails = Self.tails($0, mu: mu)
            return tails.right + tails.wrong > share
        }.low
    }
}
