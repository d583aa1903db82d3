import Foundation

/// log(error · sens²) of a Toeplitz matrix with c₀ = 1 and few diagonals, with its gradient. O(n·b) an evaluation.
///
/// The error is Σ_t ρ_t d_t² with d = C⁻¹w. With g = C⁻ᵀ(ρ ∘ d) its derivative by c_j is −2 Σ_t g_t d_{t−j}.
struct ToeplitzLoss {
    private let target: ToeplitzTarget

    init(_ goal: StrategyGoal) { target = ToeplitzTarget(goal) }

    /// The value; the gradient by all of c, c₀ included.
    ///
    /// The sensitivity is that of the first columns, b apart: right where c does not overlap itself, or is neither
    /// negative nor increasing.
    func value(_ c: [Double], gradient: inout [Double]) -> Double {
        let solver = ToeplitzSolver(coefficients: c)
        let d = solver.solution(target.workload)
        let (error, weighted) = target.error(d)
        let g = solver.transposedSolution(weighted)
        let (square, bySquare) = target.squaredSensitivity(
            c + [Double](repeating: 0, count: d.count - c.count))
        d.withUnsafeBufferPointer { d in
            g.withUnsafeBufferPointer { g in
                for j in c.indices {
                    let sum = ToeplitzSolver.dot(g.baseAddress! + j, d.baseAddress!, d.count - j)
                    gradient[j] = -2 * sum / error + bySquare[j] / square
                }
            }
        }
        return log(error) + log(square)
    }
}
