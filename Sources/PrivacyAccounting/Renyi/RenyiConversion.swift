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

/// α ↦ D_α of a composition under one relation.
struct RenyiCurve {
    private var terms: [(count: Double, divergence: (Double) -> Double)] = []
    private(set) var isInfinite = false
    var isZero: Bool { !isInfinite && terms.isEmpty }

    init(_ phases: Phases, relation: NeighboringRelation) throws(AccountingError) {
        isInfinite = phases.isNonPrivate
        let factor = relation.sensitivityFactor
        if phases.inverseGaussianVariance > 0 {
            let z = 1 / phases.inverseGaussianVariance.squareRoot() / factor
            terms.append((1, { RenyiDivergence.gaussian(order: $0, noiseMultiplier: z) }))
        }
        for phase in phases.phases {
            let divergence = try Self.divergence(of: phase.mechanism, relation: relation)
            terms.append((Double(phase.count), divergence))
        }
    }

    func callAsFunction(_ order: Double) -> Double {
        terms.reduce(0) { $0 + $1.count * $1.divergence(order) }
    }

    private static func divergence(
        of mechanism: Phases.Mechanism, relation: NeighboringRelation
    ) throws(AccountingError) -> (Double) -> Double {
        let factor = relation.sensitivityFactor
        switch mechanism {
        case .poissonGaussian(let q, let z) where relation != .replaceOne:
            return { RenyiDivergence.poissonGaussian(order: $0, probability: q, noiseMultiplier: z) }
        case .laplace(let b):
            return { RenyiDivergence.laplace(order: $0, noiseMultiplier: b / factor) }
        case .zCDP(let rho, let xi):
            // Replacing is removing, then adding: group privacy for two, (ξ·k·H_k, ρk²) at k = 2
            // (arXiv 1605.02065, group privacy).
            return relation == .replaceOne ? { 3 * xi + 4 * rho * $0 } : { xi + rho * $0 }
        case .withoutReplacementGaussian(let n, let m, let z) where relation == .replaceOne:
            let moments = RenyiDivergence.CentredMoments(noiseMultiplier: z / factor)
            let gamma = Double(m) / Double(n)
            return {
                RenyiDivergence.withoutReplacementGaussian(
                    order: $0, fraction: gamma, noiseMultiplier: z / factor, moments: moments)
            }
        default:
            throw .unsupported(event: mechanism.name, relation: relation, accountant: RenyiAccountant.name)
        }
    }
}
