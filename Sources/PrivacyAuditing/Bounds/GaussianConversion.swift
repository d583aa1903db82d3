import Foundation
import PrivacyAccounting

/// The ε of a μ, from below.
enum GaussianConversion {
    /// Above this μ nothing larger is claimed: errors of Φ(−μ/2) = 10⁻⁸⁸ are beyond any experiment.
    static let greatestMu = 40.0

    /// An ε at which a mechanism of the Gaussian trade-off curve of μ has δ(ε) ≥ δ.
    ///
    /// **Guarantee:** at most the least ε with δ(ε) ≤ δ.
    /// ``/PrivacyAccounting/GaussianDifferentialPrivacy/delta(epsilon:)`` has a relative error below 10⁻⁹ above 10⁻³⁰⁰,
    /// and twice that is asked for.
    static func epsilon(mu: Double, delta: Double) -> Double {
        guard mu > 0, let curve = try? GaussianDifferentialPrivacy(mu: min(mu, greatestMu)) else { return 0 }
        // A larger δ has a smaller ε. μ ≤ 40 and δ ≥ 10⁻²⁹⁰: ε ≤ μ²/2 + 39μ.
        let reached = max(delta, 1e-290) * (1 + 2e-9)
        return Bisection.greatest(from: 0, atMost: 1e4) { epsilon in
            (try? curve.delta(epsilon: epsilon)).map { $0 >= reached } ?? false
        }
    }
}
