import Foundation
import PrivacyAccounting

/// A test whether a mechanism is μ-GDP, by many canaries in one run (Mahloujifar, Melis, Chaudhuri, arXiv 2410.22235).
///
/// Of m canaries, each included by an independent fair coin, r are guessed and v are right. With the significance α and
/// inv(x) = Φ(Φ⁻¹(x) − μ), beginning with ρ = αv/m and h = α(r − v)/m, for i = v − 1 … 0:
///
///     h′ = max(h, inv(ρ))     ρ ← min(1, ρ + i/(r − i)·(h′ − h))     h ← h′
///
/// It rejects if ρ + h > r/m.
///
/// **Guarantee:** if the mechanism is μ-GDP, the test rejects with a probability of at most the significance. Rounding
/// makes ρ and h smaller: factors i/(r − i) fall, so that a smaller h′ at one step never makes the end larger.
struct OneRunGaussianTest {
    let guesses: Guesses
    let significance: Double

    /// Whether μ-GDP is refuted. O(v).
    func rejects(mu: Double) -> Bool {
        let (r, v) = (guesses.guessCount, guesses.truePositives)
        if v == 0 { return false }
        let (canaries, right) = (Double(guesses.canaryCount), Double(v))
        var rho = significance * right / canaries * (1 - 0x1p-50)
        var h = significance * Double(r - v) / canaries * (1 - 0x1p-50)
        for i in stride(from: v - 1, through: 0, by: -1) {
            // Φ⁻¹ within 2⁻⁴⁸ and below 39: Φ errs by a relative 2⁻³⁶ at most.
            let next = max(h, Normal.cumulative(Normal.quantile(rho) - mu) * (1 - 0x1p-36))
            if next == h { break }
            rho = min(1, (rho + Double(i) / Double(r - i) * (next - h)) * (1 - 0x1p-50))
            h = next
        }
        return (rho + h) > Double(r) / canaries * (1 + 0x1p-50)
    }
}
