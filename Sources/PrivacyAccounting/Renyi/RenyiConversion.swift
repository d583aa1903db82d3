import Foundation

/// From one Rényi divergence to (ε, δ).
enum RenyiConversion {
    /// ε = r + log(1 − 1/α) − log(δα)/(α − 1) (arXiv 2004.00010, proposition 12), or 0 where the Bretagnolle–Huber
    /// bound on total variation, TV ≤ √(1 − e^{−KL}) with KL ≤ r, is already below δ.
    static func epsilon(order a: Double, divergence r: Double, delta: Double) -> Double {
        if r < 0 || r.isNaN { return .infinity }
        if delta * delta + expm1(-r) > 0 { return 0 }
        return max(0, r + log1p(-1 / a) - (log(delta) + log(a)) / (a - 1))
    }

    /// log δ = (α − 1)(r − ε + log(1 − 1/α)) − log α, or half of log(1 − e^{−r}) where that is less.
    static func logDelta(order a: Double, divergence r: Double, epsilon: Double) -> Double {
        if r == 0 { return -.infinity }
        if r < 0 || r.isNaN { return 0 }
        return min(0, 0.5 * log(-expm1(-r)), (a - 1) * (r - epsilon + log1p(-1 / a)) - log(a))
    }
}
