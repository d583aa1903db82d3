import Foundation

/// The standard normal distribution, accurate in both tails.
package enum Normal {
    /// Φ(x).
    package static func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }

    /// Both tails at once with one `erfc`: (P(X ≤ x), P(X > x)). The smaller has full relative accuracy.
    static func tails(_ x: Double) -> (below: Double, above: Double) {
        let small = 0.5 * erfc(abs(x) * 0.5.squareRoot())
        return x > 0 ? (1 - small, small) : (small, 1 - small)
    }

    static func density(_ x: Double) -> Double { exp(-0.5 * x * x) * 0.398942280401432677939946059934 }

    /// log φ(x).
    static func logDensity(_ x: Double) -> Double { -0.5 * x * x - 0.918938533204672741780329736406 }

    /// The Mills ratio (1 − Φ(x))/φ(x), for x ≥ −30.
    ///
    /// Above 5 by its continued fraction 1/(x + 1/(x + 2/(x + 3/(x + …)))), which converges to the last bit within
    /// 60 terms there.
    static func millsRatio(_ x: Double) -> Double {
        guard x > 5 else { return 0.5 * erfc(x * 0.5.squareRoot()) / density(x) }
        var fraction = x
        for k in stride(from: 60.0, through: 1, by: -1) { fraction = x + k / fraction }
        return 1 / fraction
    }

    /// Φ⁻¹(p): bisection to a bracket, then Newton steps on log Φ. Exact to a few ulps for p in (1e−300, 1/2].
    package static func quantile(_ p: Double) -> Double {
        if p <= 0 { return -.infinity }
        if p >= 1 { return .infinity }
        if p > 0.5 { return -quantile(1 - p) }
        return -upperQuantile(p)
    }

    /// The x with P(X > x) = p, for p in (0, 1/2].
    static func upperQuantile(_ p: Double) -> Double {
        if p <= 0 { return .infinity }
        let target = log(p)
        var (low, high) = (0.0, 39.0)
        for _ in 0..<12 {
            let middle = 0.5 * (low + high)
            if log(0.5 * erfc(middle * 0.5.squareRoot())) > target { low = middle } else { high = middle }
        }
        var x = 0.5 * (low + high)
        for _ in 0..<4 {
            let tail = 0.5 * erfc(x * 0.5.squareRoot())
            guard tail > 0 else { break }
            x += (log(tail) - target) * tail / density(x)
        }
        return x
    }
}
