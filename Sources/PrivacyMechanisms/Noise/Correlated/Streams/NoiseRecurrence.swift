import LinearAlgebra

/// How the noise of a step is made of independent noise: a row of C⁻¹Z.
package enum NoiseRecurrence: Sendable {
    /// x_t = Σ_{j≤t} a_j z_{t−j}, of the independent noise of at most `terms` steps; the closure has a₀, a₁, … of
    /// step t.
    case combination(terms: Int, coefficients: @Sendable (_ step: Int) -> [Double])
    /// x_t = z_t − Σ_j ω_j s_j, and then s_j ← θ_j s_j + x_t, with as many buffers s as there are decays θ.
    case buffers(decays: [Double], weights: [Double])
    /// x_t = z_t − Σ_{0<j<b} c_j x_{t−j}, with c₀ = 1: C itself is banded, so that CG can be noised in place of G.
    case bands(coefficients: [Double])
}

extension NoiseRecurrence {
    /// The largest Σ|a|: the noise of a step is at most that many times the largest of independent noise.
    func largestGrowth(steps: Int) -> Double {
        switch self {
        case .bands: 1
        case .combination(let terms, let coefficients):
            // Rows are the same from step p − 1 on where there are fewer terms than steps.
            (0..<min(terms, steps)).reduce(1) { largest, step in
                let growth = coefficients(step).reduce(0) { $0 + abs($1) }
                return growth.isFinite ? max(largest, growth) : .infinity
            }
        case .buffers:
            // The coefficients of C⁻¹ after the first are negative, and all of them sum to 1/(Σ c) > 0.
            2
        }
    }

    /// What a run keeps from step to step for each number of a sum, in bytes, where independent noise is made again
    /// rather than kept.
    package var bytesPerParameter: Int {
        switch self {
        case .combination: 0
        case .buffers(let decays, _): 8 * decays.count
        case .bands(let coefficients): (8 + 4) * (coefficients.count - 1)
        }
    }
}

extension IdentityStrategy {
    package var recurrence: NoiseRecurrence { .bands(coefficients: [1]) }
}

extension ToeplitzStrategy {
    package var recurrence: NoiseRecurrence { .bands(coefficients: Array(coefficients.prefix(bands))) }
}

extension BandedInverseStrategy {
    package var recurrence: NoiseRecurrence {
        let coefficients = noisingCoefficients
        return .combination(terms: coefficients.count) { Array(coefficients.prefix($0 + 1)) }
    }
}

extension BufferedToeplitzStrategy {
    package var recurrence: NoiseRecurrence { .buffers(decays: decays, weights: weights) }
}

extension DenseStrategy {
    /// Rows of C⁻¹. O(n³) once, and n² numbers.
    package var recurrence: NoiseRecurrence {
        var inverse = SquareMatrix(order: steps)
        for index in 0..<steps { inverse[index, index] = 1 }
        inverse.divideFromRight(byLower: block(steps))
        return .combination(terms: steps) { [inverse] step in (0...step).map { inverse[step, step - $0] } }
    }
}
