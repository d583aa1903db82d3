import Foundation

/// Rényi divergences of the mechanisms that have them in closed form or as a one-dimensional integral.
enum RenyiDivergence {
    /// D_α of the Gaussian mechanism: α/(2z²) (arXiv 1702.07476, corollary 3).
    static func gaussian(order: Double, noiseMultiplier z: Double) -> Double { order / (2 * z) / z }

    /// D_α of the Laplace mechanism (arXiv 1702.07476, corollary 2):
    /// log[ α/(2α−1)·e^{(α−1)/b} + (α−1)/(2α−1)·e^{−α/b} ]/(α−1).
    static func laplace(order: Double, noiseMultiplier b: Double) -> Double {
        var sum = LogSum()
        sum.add(log(order / (2 * order - 1)) + (order - 1) / b)
        sum.add(log((order - 1) / (2 * order - 1)) - order / b)
        return min(1 / b, max(0, sum.value) / (order - 1))
    }

    /// D_α of the Poisson-subsampled Gaussian for any real α > 1 (arXiv 1908.10530, section 3.3).
    ///
    ///     A_α = E_{x ~ N(0, z²)} [(1 + u)^α],   u = q(exp((2x − 1)/(2z²)) − 1),   D_α = log A_α/(α − 1)
    ///
    /// Integer orders use the finite binomial sum, fractional ones the integral itself. Because E[u] = 0, both are
    /// taken of A_α − 1 as a sum of non-negative terms, so nothing cancels however small q is.
    ///
    /// **Guarantee:** A_α bounds the divergence in both directions (theorem 5 there), under add-or-remove and under
    /// replace-by-zero. The quadrature's relative error is below 1e−12 and is added on top.
    static func poissonGaussian(order: Double, probability q: Double, noiseMultiplier z: Double) -> Double {
        let isInteger = order == order.rounded() && order <= 512
        let logExcess =
            isInteger
            ? logExcessAtInteger(order, q, z)
            : logExcessByQuadrature(order, q, z)
        // log(1 + e^x), without overflow.
        let logMoment = logExcess > 30 ? logExcess + exp(-logExcess) : log1p(exp(logExcess))
        // The subsampled mechanism is never worse than the mechanism itself.
        return min(gaussian(order: order, noiseMultiplier: z), logMoment * (1 + 1e-12) / (order - 1))
    }

    /// log(A_α − 1) = log Σ_{k ≥ 2} C(α, k) (1 − q)^{α−k} q^k (e^{(k² − k)/(2z²)} − 1).
    private static func logExcessAtInteger(_ order: Double, _ q: Double, _ z: Double) -> Double {
        var sum = LogSum()
        let (logQ, logRest) = (log(q), log1p(-q))
        for k in stride(from: 2.0, through: order, by: 1) {
            let power = k * (k - 1) / 2 / z / z
            sum.add(logBinomial(order, k) + k * logQ + (order - k) * logRest + logExpMinusOne(power))
        }
        return sum.value
    }

    /// log(A_α − 1) = log E[(1 + u)^α − 1 − αu] by the trapezoidal rule, which converges geometrically here: the
    /// integrand is analytic in the strip |Im x| < πz², where 1 + u first vanishes.
    private static func logExcessByQuadrature(_ order: Double, _ q: Double, _ z: Double) -> Double {
        let step = min(z / 6, z * z / 2)
        let reach = 10 * z + 1
        // What takes seconds is not worth them: the order is left to the unsampled mechanism.
        guard (order + reach) / step < mostNodes else { return .infinity }
        var sum = LogSum()
        var index = (-reach / step).rounded(.down)
        let last = ((order + reach) / step).rounded(.up)
        while index <= last {
            let x = index * step
            sum.add(logBregmanPower(order, x, q, z) + Normal.logDensity(x / z))
            index += 1
        }
        return sum.value + log(step / z)
    }

    /// The most terms of a sum.
    static let mostNodes = 0x1p20

    /// log[(1 + u)^α − 1 − αu] for u = q(e^{(2x−1)/(2z²)} − 1) > −1.
    private static func logBregmanPower(_ order: Double, _ x: Double, _ q: Double, _ z: Double) -> Double {
        let exponent = (2 * x - 1) / 2 / z / z
        // log(1 + u), and u itself, for exponents beyond the range of exp.
        if exponent > 600 { return order * (log(q) + exponent) }
        let u = q * expm1(exponent)
        let a = order
        if abs(a * u) < 1e-3 {
            let series = 1 + (a - 2) / 3 * u * (1 + (a - 3) / 4 * u * (1 + (a - 4) / 5 * u))
            return u == 0 ? -.infinity : log(a * (a - 1) / 2 * series) + 2 * log(abs(u))
        }
        let power = a * log1p(u)
        if power > 600 { return power }
        return log(max(0, expm1(power) - a * u))
    }
}
