import Foundation

/// The discrete Gaussian N_ℤ(0, σ²) on the integers (arXiv 2004.00010), for σ in (0, 10⁴].
///
///     P(x) = exp(−x²/(2σ²))/Z          Z = Σ_y exp(−y²/(2σ²)) = σ√(2π)·(1 + 2Σ_{k≥1} exp(−2π²σ²k²))
///
/// Sums are over the integers themselves: O(σ). Wider noise is accounted by ``ContinuousGaussianCover``.
public struct DiscreteGaussianDistribution: Hashable, Sendable {
    /// The σ that sums over the integers are taken for.
    public static let greatestSigma = 1e4

    /// σ. The standard deviation is slightly less, see ``variance``.
    public let sigma: Double
    /// Z, with a relative error below 2⁻⁴⁹.
    let normalizer: Double

    /// Beyond 37σ each side has less than e^{−684} < 10⁻²⁹⁷.
    private static let reach = 37.0
    private static let tail = 1e-297

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless σ is in (0, 10⁴].
    public init(sigma: Double) throws(AccountingError) {
        guard sigma > 0, sigma <= Self.greatestSigma else {
            throw .outOfRange(name: "sigma", value: "\(sigma)", allowed: "in (0, \(Self.greatestSigma)]")
        }
        self.sigma = sigma
        // Either series converges within a few terms on its side of 1: e^{−2π²·9} and e^{−40²/2} are below 2⁻¹⁰⁰.
        normalizer =
            sigma >= 1
            ? sigma * (2 * Double.pi).squareRoot() * (1 + Self.ripple(sigma: sigma))
            : 1 + 2 * (1...40).reversed().reduce(0) { $0 + exp(-Self.square($1, sigma) / 2) }
    }

    /// e(σ) = 2Σ_{k≥1} exp(−2π²σ²k²): by how much the sum of exp(−(y − c)²/(2σ²)) over the integers y, in units of
    /// σ√(2π), can differ from 1, for any c (Poisson's summation). For σ ≥ ½.
    static func ripple(sigma: Double) -> Double {
        2 * (1...4).reversed().reduce(0) { $0 + exp(-2 * square(Double.pi * sigma * Double($1))) }
    }

    private static func square(_ x: Double) -> Double { x * x }
    private static func square(_ x: Int, _ sigma: Double) -> Double { square(Double(x) / sigma) }

    /// P(x).
    public func probability(of x: Int) -> Double { exp(-Self.square(x, sigma) / 2) / normalizer }

    /// Σ x²P(x) < σ².
    public var variance: Double {
        if sigma < 1 {
            return 2 * (1...40).reversed().reduce(0) { $0 + Double($1 * $1) * probability(of: $1) }
        }
        // The derivative of log Z by −1/(2σ²).
        let wave = Self.square(2 * Double.pi * sigma)
        var sum = 0.0
        for k in [4.0, 3, 2, 1] { sum += 2 * k * k * exp(-wave * k * k / 2) }
        return sigma * sigma * (1 - wave * sum / (1 + Self.ripple(sigma: sigma)))
    }

    /// δ(ε) between N_ℤ(0, σ²) and N_ℤ(Δ, σ²), Δ = `sensitivity`, the same in both directions:
    ///
    ///     δ(ε) = Σ_x max(0, P(x − Δ) − e^ε P(x)) = Σ_x P(x − Δ)·max(0, 1 − e^{ε − ℓ(x)}),   ℓ(x) = Δ(2x − Δ)/(2σ²)
    ///
    /// **Guarantee:** not below the truth. Each term is rounded up: P by its exponent's error, ℓ − ε by 8 units in its
    /// last place and those of what it is the difference of; 10⁻²⁹⁷ is added for each tail that is left out.
    ///
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless ε ≥ 0 and Δ is in 0...2³⁰. O(σ).
    public func delta(epsilon: Double, sensitivity: Int = 1) throws(AccountingError) -> Double {
        try Check.epsilon(epsilon)
        guard (0...1 << 30).contains(sensitivity) else {
            throw .outOfRange(name: "sensitivity", value: "\(sensitivity)", allowed: "in 0...\(1 << 30)")
        }
        if sensitivity == 0 || epsilon == .infinity { return 0 }
        let shift = Double(sensitivity)
        let (first, last) = ((shift - Self.reach * sigma).rounded(.down), (shift + Self.reach * sigma).rounded(.up))
        // Losses are above ε from here on; one integer more makes up for rounding.
        let start = max(first, (sigma * (sigma * epsilon / shift) + shift / 2).rounded(.down) - 1)
        var sum = CompensatedSum()
        for x in stride(from: start, through: last, by: 1) {
            let loss = shift / sigma * ((2 * x - shift) / (2 * sigma))
            let excess = loss - epsilon + 0x1p-50 * (abs(loss) + epsilon)
            guard excess > 0 else { continue }
            let exponent = Self.square((x - shift) / sigma) / 2
            sum.add(exp(-exponent) * (1 + 0x1p-50 * (1 + exponent)) * -expm1(-excess))
        }
        return min(1, sum.value / normalizer * (1 + 0x1p-47) + 2 * Self.tail)
    }

    /// An upper bound on D_α between N_ℤ(0, σ²) and N_ℤ(Δ, σ²), αΔ²/(2σ²), for any real α > 1: the exact value where αΔ
    /// is an integer, since then Σ_x exp(−(x − αΔ)²/(2σ²)) = Z; elsewhere the sum is less.
    ///
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless α > 1.
    public func renyiDivergence(order: Double, sensitivity: Int = 1) throws(AccountingError) -> Double {
        guard order > 1 else { throw .outOfRange(name: "order", value: "\(order)", allowed: "in (1, ∞]") }
        return order / 2 * Self.square(sensitivity, sigma) * (1 + 0x1p-50)
    }
}
