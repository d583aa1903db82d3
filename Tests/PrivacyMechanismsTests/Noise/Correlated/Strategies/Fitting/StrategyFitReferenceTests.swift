import Testing
import _TestSupport

@testable import PrivacyMechanisms

/// Fitted strategies are no worse than those of `matrix_factorization.json`, by more than 0.1 % of their loss.
@Suite struct StrategyFitReferenceTests {
    @Test func bandedToeplitz() throws {
        let rows = try ReferenceValues.load("matrix_factorization.json")["toeplitz"].array
        #expect(!rows.isEmpty)
        for row in rows {
            let goal = try StrategyGoal(steps: Int(row["n"].double))
            let bands = Int(row["bands"].double)
            let strategy = try StrategyRequest.bandedToeplitz(bands: bands).fitted(to: goal)
            let root = goal.rootLoss(of: strategy)
            let reference = row["sensitivity_squared_f64"].double * row["per_query_error_mean_f64"].double
            #expect(root * root <= reference * 1.001)
            #expect(strategy.bands == bands && strategy.steps == goal.steps)
            // The twin, which was not fitted, is worse.
            let start = try ToeplitzStrategy(coefficients: ToeplitzStrategy.squareRoot(bands), steps: goal.steps)
            let worse = goal.rootLoss(of: .bandedToeplitz(start))
            #expect(bands == 1 || worse * worse > reference * 1.001)
        }
    }

    @Test func denseMatrices() throws {
        let rows = try ReferenceValues.load("matrix_factorization.json")["dense"].array
        #expect(!rows.isEmpty)
        for row in rows {
            let (n, epochs) = (Int(row["n"].double), Int(row["epochs"].double))
            let goal = try StrategyGoal(
                steps: n, participation: epochs == 1 ? .once : .epochs(length: n / epochs))
            let root = goal.rootLoss(of: try StrategyRequest.dense.fitted(to: goal))
            let sensitivity = row["fixed_epoch_sensitivity_f64"].double
            let reference = row["per_query_error_mean_f64"].double * sensitivity * sensitivity
            #expect(root * root <= reference * 1.001)
        }
    }
}
