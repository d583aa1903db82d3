import Foundation

/// μ-Gaussian differential privacy: telling the neighbours apart is no easier than telling N(0, 1) from N(μ, 1).
///
/// A Gaussian mechanism of noise multiplier z is exactly 1/z-GDP under add-or-remove, 2/z under replace-one, and
/// adaptive compositions add μ in squares. Everything here is closed form: no discretisation.
/// Dong, Roth, Su, arXiv 1905.02383; Balle, Wang, arXiv 1805.06530, theorem 8.
public struct GaussianDifferentialPrivacy: Codable, Hashable, Sendable {
    /// μ in [0, ∞].
    public let mu: Double

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless μ is in [0, ∞].
    public init(mu: Double) throws(AccountingError) {
        self.mu = try Check.nonNegative(mu, "mu")
    }

    /// Reads `mu` and checks it.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(mu: box.decode(Double.self, forKey: .mu))
    }

    /// The μ whose guarantee contains (ε, δ): δ(ε; μ) = δ. It describes that point in Gaussian terms; a mechanism
    /// that is (ε, δ)-private need *not* be μ-GDP.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless ε ≥ 0 and δ is in [0, 1).
    public init(epsilon: Double, delta: Double) throws(AccountingError) {
        try Check.epsilon(epsilon)
        try Check.delta(delta)
        guard delta > 0 else {
            self.mu = 0
            return
        }
        guard epsilon.isFinite else {
            self.mu = .infinity
            return
        }
        var (low, high) = (0.0, 1.0)
        while Self.delta(epsilon: epsilon, mu: high) < delta { high *= 2 }
        (low, high) = Bisection.refine(low: low, high: high) { Self.delta(epsilon: epsilon, mu: $0) < delta }
        self.mu = low
    }

    /// The trade-off curve β(α) = Φ(Φ⁻¹(1 − α) − μ): the least type II error of any test of type I error α.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless α is in [0, 1].
    public func typeTwoError(typeOneError alpha: Double) throws(AccountingError) -> Double {
        try Check.probability(alpha, "typeOneError")
        if mu == .infinity { return 0 }
        if alpha == 0 { return 1 }
        if alpha == 1 { return 0 }
        return Normal.cumulative(-Normal.quantile(alpha) - mu)
    }

    /// δ(ε) = Φ(μ/2 − ε/μ) − e^ε Φ(−μ/2 − ε/μ).
    ///
    /// **Guarantee:** exact but for rounding (relative error below 1e−9 for δ > 1e−300).
    public func delta(epsilon: Double) throws(AccountingError) -> Double {
        try Self.delta(epsilon: Check.epsilon(epsilon), mu: mu)
    }

    /// The least ε ≥ 0 with δ(ε) ≤ δ. At δ = 0 (and below 1e−280) it is ∞ unless μ = 0.
    ///
    /// **Guarantee:** the end of the final bisection interval at which δ(ε) ≤ δ holds is returned, never the other.
    public func epsilon(delta: Double) throws(AccountingError) -> Double {
        try Self.epsilon(delta: Check.delta(delta), mu: mu)
    }

    /// √(μ₁² + μ₂²), the composition of two Gaussian mechanisms.
    public func composed(with other: GaussianDifferentialPrivacy) -> GaussianDifferentialPrivacy {
        GaussianDifferentialPrivacy(trusted: hypot(mu, other.mu))
    }

    /// A δ below this is treated as 0 by every accountant whose losses are unbounded.
    static let leastDelta = 1e-280

    private init(trusted mu: Double) { self.mu = mu }

    static func delta(epsilon: Double, mu: Double) -> Double {
        if mu == 0 { return 0 }
        if mu == .infinity { return 1 }
        if epsilon == .infinity { return 0 }
        let a = mu / 2 - epsilon / mu
        let b = -mu / 2 - epsilon / mu
        // e^ε φ(b) = φ(a): with Mills ratios both terms share one factor, so nothing overflows and the difference
        // keeps its relative accuracy in the far tail.
        if mu < 1e-4, abs(epsilon / mu) < 40 {
            // −M′(x) = 1 − xM(x): the difference quotient, where the difference itself would cancel.
            let x = epsilon / mu
            return max(0, Normal.density(a) * mu * (1 - x * Normal.millsRatio(x)))
        }
        if a < 0 { return max(0, Normal.density(a) * (Normal.millsRatio(-a) - Normal.millsRatio(-b))) }
        return max(0, Normal.cumulative(a) - Normal.density(a) * Normal.millsRatio(-b))
    }

    static func epsilon(delta: Double, mu: Double) -> Double {
        if mu == 0 { return 0 }
        // Below this the tail of a Float64 density has no relative accuracy left; ∞ is the safe side.
        if delta < Self.leastDelta || mu == .infinity { return .infinity }
        if Self.delta(epsilon: 0, mu: mu) <= delta { return 0 }
        var high = mu * (mu / 2 + Normal.upperQuantile(min(0.5, delta))) + mu
        while Self.delta(epsilon: high, mu: mu) > delta {
            high *= 2
            if high == .infinity { return .infinity }
        }
        return Bisection.refine(low: 0, high: high) { Self.delta(epsilon: $0, mu: mu) > delta }.high
    }
}

/// Bisection to neighbouring floating-point numbers.
enum Bisection {
    /// Narrows [low, high] around the point where `isLow` changes from true to false, which must happen once.
    static func refine(low: Double, high: Double, isLow: (Double) -> Bool) -> (low: Double, high: Double) {
        var (low, high) = (low, high)
        for _ in 0..<200 {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { break }
            if isLow(middle) { low = middle } else { high = middle }
        }
        return (low, high)
    }
}
