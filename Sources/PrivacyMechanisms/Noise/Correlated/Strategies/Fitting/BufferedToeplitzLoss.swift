import Foundation

/// log(error · sens²) of a BLT, with its gradient by θ and ω. O(n·buffers) an evaluation.
///
/// As in ``ToeplitzLoss``, error is Σ ρ_t d_t² with d = C⁻¹w, and g = C⁻ᵀ(ρ ∘ d). With the buffers
/// s_j(t) = Σ_{i≥1} θ_j^{i−1} d_{t−i}, its derivatives are −2 Σ_t g_t s_j(t) by ω_j, and −2ω_j Σ_t g_t ∂s_j(t)/∂θ_j
/// by θ_j.
struct BufferedToeplitzLoss {
    private let target: ToeplitzTarget

    init(_ goal: StrategyGoal) { target = ToeplitzTarget(goal) }

    /// The loss and its gradients.
    struct Result {
        var value: Double
        var byDecays: [Double]
        var byWeights: [Double]
    }

    func result(_ strategy: BufferedToeplitzStrategy) -> Result {
        let (theta, omega) = (strategy.decays, strategy.weights)
        let d = strategy.inverseProduct(target.workload)
        let (error, weighted) = target.error(d)
        let g = Array(strategy.inverseProduct(weighted.reversed()).reversed())
        let (square, bySquare) = target.squaredSensitivity(strategy.coefficients(d.count))
        var result = Result(value: log(error) + log(square), byDecays: [], byWeights: [])
        for (decay, weight) in zip(theta, omega) {
            var (buffer, slope, byWeight, byDecay) = (0.0, 0.0, 0.0, 0.0)
            for t in d.indices {
                byWeight += g[t] * buffer
                byDecay += g[t] * slope
                slope = decay * slope + buffer
                buffer = decay * buffer + d[t]
            }
            // The powers θ^{i−1} of c_i, and their derivatives.
            var (power, powerSlope, normByWeight, normByDecay) = (1.0, 0.0, 0.0, 0.0)
            for value in bySquare.dropFirst() where power > 1e-150 {
                normByWeight += value * power
                normByDecay += value * powerSlope
                powerSlope = decay * powerSlope + power
                power *= decay
            }
            result.byWeights.append(-2 * byWeight / error + normByWeight / square)
            result.byDecays.append(weight * (-2 * byDecay / error + normByDecay / square))
        }
        return result
    }
}
