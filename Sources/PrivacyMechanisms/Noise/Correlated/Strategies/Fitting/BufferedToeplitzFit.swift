import Foundation

/// The BLT with the least loss that L-BFGS finds from decays in geometric progression (arXiv 2408.08868).
enum BufferedToeplitzFit {
    /// More buffers gain less than rounding loses.
    static let most = 10

    /// Without a number of buffers they are added one by one, as long as each lowers error · sens² by at least 1 %.
    static func strategy(
        buffers: Int?, goal: StrategyGoal, progress: (Int, Double) -> Void
    ) throws(PrivacyMechanismError) -> BufferedToeplitzStrategy {
        if let buffers {
            let count = try StrategyCheck.count(buffers, "buffers", in: 1...most)
            return try fit(buffers: count, goal, progress).strategy
        }
        var best = try fit(buffers: 1, goal, progress)
        for count in 2...most {
            let next = try fit(buffers: count, goal, progress)
            let gain = 1 - exp(next.loss - best.loss)
            if gain > 0 { best = next }
            if gain < 0.01 { break }
        }
        return best.strategy
    }

    private static func fit(
        buffers: Int, _ goal: StrategyGoal, _ progress: (Int, Double) -> Void
    ) throws(PrivacyMechanismError) -> (strategy: BufferedToeplitzStrategy, loss: Double) {
        func strategy(_ decays: InterlacedDecays) throws(PrivacyMechanismError) -> BufferedToeplitzStrategy {
            try BufferedToeplitzStrategy(decays: decays.decays, weights: decays.weights, steps: goal.steps)
        }
        let loss = BufferedToeplitzLoss(goal)
        let start = InterlacedDecays.start(buffers: buffers, steps: goal.steps)
        let report = { (iteration: Int, value: Double) in progress(iteration, exp(value / 2)) }
        let minimum = LBFGS().minimum(from: start, progress: report) { point, gradient in
            let decays = InterlacedDecays(point)
            // Decays that rounding has made equal are outside the domain.
            guard let strategy = try? strategy(decays) else { return .infinity }
            let result = loss.result(strategy)
            gradient = decays.gradient(byDecays: result.byDecays, byWeights: result.byWeights, at: point)
            return result.value
        }
        return (try strategy(InterlacedDecays(minimum.point)), minimum.value)
    }
}
