import Foundation

/// The banded Toeplitz strategy with the least loss that L-BFGS finds from the optimum for one participation
/// (arXiv 2306.08153; 2405.13763).
///
/// Of at most as many bands as participations are apart, coefficients are free: columns do not overlap. More of them
/// are kept from increasing, c_j = c_{j−1}·σ(x_j), so that the sensitivity is exact.
enum BandedToeplitzFit {
    static func strategy(
        bands: Int, goal: StrategyGoal, progress: (Int, Double) -> Void
    ) throws(PrivacyMechanismError) -> ToeplitzStrategy {
        let bands = min(try StrategyCheck.count(bands, "bands", in: StrategyCheck.steps), goal.steps)
        let loss = ToeplitzLoss(goal)
        let start = ToeplitzStrategy.squareRoot(bands)
        let report = { (iteration: Int, value: Double) in progress(iteration, exp(value / 2)) }
        let coefficients: [Double]
        if bands == 1 {
            coefficients = start
        } else if bands <= goal.participation.worstColumns(steps: goal.steps).separation {
            let minimum = LBFGS().minimum(from: Array(start.dropFirst()), progress: report) { point, gradient in
                var whole = [Double](repeating: 0, count: bands)
                let value = loss.value([1] + point, gradient: &whole)
                gradient = Array(whole.dropFirst())
                return value
            }
            coefficients = [1] + minimum.point
        } else {
            // σ(x) = (2k − 1)/(2k) for x = log(2k − 1).
            let ratios = (1..<bands).map { log(Double(2 * $0 - 1)) }
            let minimum = LBFGS().minimum(from: ratios, progress: report) { point, gradient in
                var whole = [Double](repeating: 0, count: bands)
                let c = notIncreasing(point)
                let value = loss.value(c, gradient: &whole)
                // c_i depends on x_j for all i ≥ j: ∂c_i/∂x_j = c_i(1 − σ(x_j)).
                var sum = 0.0
                for j in point.indices.reversed() {
                    sum += whole[j + 1] * c[j + 1]
                    gradient[j] = sum / (1 + exp(point[j]))
                }
                return value
            }
            coefficients = notIncreasing(minimum.point)
        }
        return try ToeplitzStrategy(coefficients: coefficients, steps: goal.steps)
    }

    private static func notIncreasing(_ ratios: [Double]) -> [Double] {
        var result = [1.0]
        for ratio in ratios { result.append(result.last! / (1 + exp(-ratio))) }
        return result
    }
}
