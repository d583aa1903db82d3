import Foundation

/// How discrete Gaussian noise N_ℤ(0, σ²) on integers is accounted by continuous noise.
///
/// Lemma. For an integer c and 0 < σ_d < σ, draw x from N(c, σ² − σ_d²), and an integer y with probability
/// ∝ exp(−(y − x)²/(2σ_d²)). The law of y is within a factor of (1 + e)/(1 − e) of N_ℤ(c, σ²) at every y, either way,
/// where e = 2Σ_{k≥1} exp(−2π²σ_d²k²).
///
/// Proof. By Poisson's summation the second draw's normalizer is σ_d√(2π)·(1 ± e), whatever x is. With exactly
/// σ_d√(2π) in its place, y would have the density φ of N(c, σ²). So P(y) is between φ(y)/(1 + e) and φ(y)/(1 − e). As
/// the P(y) sum to 1, Σφ is between 1 − e and 1 + e; and N_ℤ(c, σ²) is φ/Σφ.
///
/// The second draw reads nothing of the data. So T releases of P coordinates with discrete noise are, but for a factor
/// e^{±s} of each outcome's probability, s = T·P·log((1 + e)/(1 − e)), post-processing of those with continuous noise
/// of σ_eff² = σ² − σ_d²: given the batches of all steps, each release's law given those before is a product over
/// coordinates, and the law of all releases is a product of those. A mixture over the batches of a whole run, however
/// those of different steps depend on each other, keeps such factors. They hold through sampling, allocation,
/// adaptivity and composition. For an outcome set A,
/// P(A) − e^{ε+2s}P′(A) ≤ e^s·(P̃(A) − e^ε P̃′(A)):
///
///     δ(ε + 2s) ≤ e^s·δ_continuous(ε; σ_eff)
///
/// σ_d = 2 here: e < 1.03·10⁻³⁴, and σ_eff is less than σ by 2·10⁻⁶ of it at most.
public struct ContinuousGaussianCover: Hashable, Sendable {
    /// The least σ, in grid units. On coarser grids the noise is no longer like continuous noise in all its uses.
    public static let leastSigma = 0x1p10
    /// σ_d.
    static let innerSigma = 2.0

    /// σ, in grid units.
    public let sigma: Double
    /// Δ, the sensitivity in grid units.
    public let sensitivity: Double

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless σ is in [2¹⁰, ∞) and Δ in (0, ∞).
    public init(sigma: Double, sensitivity: Double) throws(AccountingError) {
        guard sigma >= Self.leastSigma, sigma.isFinite else {
            throw .outOfRange(
                name: "The discrete noise's sigma in grid units", value: "\(sigma)",
                allowed: "finite and at least \(Self.leastSigma), which takes more noise or a finer grid")
        }
        guard sensitivity > 0, sensitivity.isFinite else {
            throw .outOfRange(
                name: "The sensitivity in grid units", value: "\(sensitivity)", allowed: "in (0, ∞)")
        }
        self.sigma = sigma
        self.sensitivity = sensitivity
    }

    /// √(σ² − σ_d²)/Δ, what events are made with.
    ///
    /// **Guarantee:** rounded down; six roundings of 2⁻⁵³.
    public var effectiveNoiseMultiplier: Double {
        let ratio = Self.innerSigma / sigma
        return sigma * ((1 - ratio) * (1 + ratio)).squareRoot() / sensitivity * (1 - 0x1p-50)
    }

    /// log((1 + e)/(1 − e)), for one coordinate of one release.
    ///
    /// **Guarantee:** rounded up. The exponents are below 2¹⁰ where it matters, and so 2⁻⁴⁰ covers their roundings.
    static func logRatio(innerSigma: Double) -> Double {
        2 * atanh(DiscreteGaussianDistribution.ripple(sigma: innerSigma)) * (1 + 0x1p-40)
    }

    /// s, of `releases` releases of `coordinates` coordinates each, rounded up.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` for a negative number.
    public func slack(releases: Int, coordinates: Int) throws(AccountingError) -> ContinuousCoverSlack {
        let count = Double(try Check.count(releases, "releases")) * Double(try Check.count(coordinates, "coordinates"))
        return ContinuousCoverSlack(value: count * Self.logRatio(innerSigma: Self.innerSigma) * (1 + 0x1p-50))
    }
}
