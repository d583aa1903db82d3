import CommandLineSupport
import PrivacyAccounting
import PrivateTraining
import Requirements

extension CompareCommand {
    /// The advice of `--noise correlated`: a row for each way to make the noise, the best first, and their chart.
    func showNoise(_ check: inout UsageCheck, as format: OutputFormat) throws {
        let choice = check.value(accountant, "--accountant") ?? .pld
        let relation = check.value(relation, "--relation")
        let work = work(&check)
        let epsilon = check.required(epsilon, "--epsilon", .positive, "the budget ε, for example 2")
        let delta = check.required(delta, "--delta", .belowOne, "far below one over the number of examples")
        let extra: [(flag: String, isGiven: Bool)] = [
            ("--noise-multiplier", noiseMultiplier != nil), ("--bands", bands != nil), ("--limit", limit != nil),
            ("--trade-off", charts.tradeOff != nil),
        ]
        for option in extra where option.isGiven {
            check.add(
                "\(option.flag) is no option of --noise correlated, which calibrates all strategies: leave it out.")
        }
        if let work, work.iterations < 1 { check.add("--epochs is too small: there is no step.") }
        try check.finish()
        guard let work, let epsilon, let delta else { fail("What is missing was refused.") }
        let comparison = NoiseComparison(
            work: work, epsilon: epsilon, delta: delta, accountant: choice, relation: relation,
            fitter: try StrategyFitter(file: files.strategies))
        let rows = try comparison.rows()
        try NoiseRow.show(rows, as: format)
        if let path = charts.plot { try NoiseChart(rows: rows, epsilon: epsilon, delta: delta).write(to: path) }
    }
}
