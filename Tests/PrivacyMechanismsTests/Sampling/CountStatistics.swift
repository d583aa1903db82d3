import Foundation

/// Tests of hypotheses about counts, each at significance level 10⁻⁶ or stricter.
///
/// Seeds are fixed: a check that has passed once passes always, and the level says how surprising a failure after a
/// change would be.
enum CountStatistics {
    /// ln(1/level).
    private static let surprise = log(1e6)

    /// Whether counts in categories of the given probabilities, which sum to 1, are plausible for independent trials.
    ///
    /// Pearson's statistic tends to χ² of k − 1 degrees of freedom. With d of them and x = ln(10⁶), Laurent and Massart
    /// (Annals of Statistics 28(5), 2000, lemma 1) prove P(χ² ≥ d + 2√(dx) + 2x) ≤ 10⁻⁶, the upper critical value used,
    /// and P(χ² ≤ d − 2√(dx)) ≤ 10⁻⁶, the lower one: counts that are too even are not independent either. Every
    /// category must expect at least 10, for the limit to hold.
    static func isPlausible(_ counts: [Int], probabilities: [Double]) -> Bool {
        let total = Double(counts.reduce(0, +))
        let expected = probabilities.map { $0 * total }
        precondition(counts.count == probabilities.count && expected.allSatisfy { $0 >= 10 })
        precondition(abs(probabilities.reduce(0, +) - 1) < 1e-9)
        return isWithinLimits(pearson(counts, expected), degrees: Double(counts.count - 1))
    }

    /// Whether counts in categories of equal probability are plausible for independent trials.
    static func isUniform(_ counts: [Int]) -> Bool {
        isPlausible(counts, probabilities: counts.map { _ in 1 / Double(counts.count) })
    }

    /// Whether each of these counts, independent of each other, is plausible for Bin(trials, probability).
    ///
    /// Σ (x − np)²/(np(1 − p)) tends to χ² with as many degrees of freedom as there are counts.
    static func areBinomial(_ counts: [Int], trials: Int, probability p: Double) -> Bool {
        let mean = Double(trials) * p
        precondition(mean >= 10 && Double(trials) - mean >= 10)
        let squares = counts.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return isWithinLimits(squares / (mean * (1 - p)), degrees: Double(counts.count))
    }

    /// Whether one count is plausible for Bin(trials, probability), by Chernoff's bound, which holds for any number of
    /// trials: P(X/n is on one side of p and as far as a) ≤ exp(−n·KL(a‖p)).
    static func isBinomial(_ count: Int, trials: Int, probability p: Double) -> Bool {
        let (n, a) = (Double(trials), Double(count) / Double(trials))
        func term(_ a: Double, _ p: Double) -> Double { a == 0 ? 0 : a * log(a / p) }
        return n * (term(a, p) + term(1 - a, 1 - p)) < surprise + log(2)
    }

    /// Categories for integers 0..<`range` under `mass`, joined from left to right until each expects a fortieth
    /// of the trials, and at least 25: the category of each integer, and the categories' probabilities. What lies
    /// beyond the range belongs to the last category.
    static func categories(
        upTo range: Int, trials: Int, mass: (Int) -> Double
    ) -> (of: [Int], probabilities: [Double]) {
        var (of, probabilities, open, left) = ([Int](), [Double](), 0.0, 1.0)
        let least = max(1.0 / 40, 25 / Double(trials))
        for value in 0..<range {
            of.append(probabilities.count)
            open += mass(value)
            if open >= least, left - open >= least {
                probabilities.append(open)
                left -= open
                open = 0
            }
        }
        probabilities.append(left)
        return (of, probabilities)
    }

    /// The probability of k successes in n trials.
    static func binomial(_ k: Int, trials n: Int, probability p: Double) -> Double {
        let ways = lgamma(Double(n + 1)) - lgamma(Double(k + 1)) - lgamma(Double(n - k + 1))
        return exp(ways + Double(k) * log(p) + Double(n - k) * log1p(-p))
    }

    private static func pearson(_ counts: [Int], _ expected: [Double]) -> Double {
        zip(counts, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) / $1.1 }
    }

    private static func isWithinLimits(_ statistic: Double, degrees d: Double) -> Bool {
        let spread = 2 * (d * surprise).squareRoot()
        return statistic > d - spread && statistic < d + spread + 2 * surprise
    }
}
