/// The two factors of the loss of a Toeplitz strategy, and their derivatives.
struct ToeplitzTarget {
    /// w₀, …, w_{n−1}.
    let workload: [Double]
    /// ρ_t, the share of A·C⁻¹'s rows in which its coefficient d_t occurs; 1 where the last row counts.
    private let shares: [Double]
    private let columns: (participations: Int, separation: Int)

    init(_ goal: StrategyGoal) {
        let n = goal.steps
        workload = goal.workload.coefficients(n)
        shares = (0..<n).map { goal.objective == .max ? 1 : Double(n - $0) / Double(n) }
        columns = goal.participation.worstColumns(steps: n)
    }

    /// Σ_t ρ_t d_t², and ρ ∘ d.
    func error(_ d: [Double]) -> (value: Double, weighted: [Double]) {
        let weighted = zip(shares, d).map { $0 * $1 }
        return (zip(weighted, d).reduce(0) { $0 + $1.0 * $1.1 }, weighted)
    }

    /// S = Σ_t v_t² with v = Σ_{i<k} (c shifted by ib), and ∂S/∂c_j = 2 Σ_{i<k} v_{j+ib}, for n coefficients. O(n).
    func squaredSensitivity(_ c: [Double]) -> (value: Double, gradient: [Double]) {
        let sums = windowSums(c)
        let gradient = windowSums(sums.reversed()).reversed().map { 2 * $0 }
        return (sums.reduce(0) { $0 + $1 * $1 }, gradient)
    }

    /// Σ_{i<k} x_{t−ib} for each t, by differences of sums along each residue of b.
    private func windowSums(_ x: [Double]) -> [Double] {
        let (k, b) = columns
        if k == 1 { return x }
        var sums = x
        for t in sums.indices.dropFirst(b) { sums[t] += sums[t - b] - (t - k * b >= 0 ? x[t - k * b] : 0) }
        return sums
    }
}
