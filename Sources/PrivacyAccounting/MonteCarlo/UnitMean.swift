import Foundation

/// The mean of independent values in [0, 1] of one distribution, and what it says of their expectation.
struct UnitMean {
    private var (sum, squares) = (CompensatedSum(), CompensatedSum())
    private(set) var count = 0

    mutating func add(_ value: Double) {
        sum.add(value)
        squares.add(value * value)
        count += 1
    }

    /// The mean, rounded up.
    var value: Double { min(1, sum.value / Double(count) * (1 + 0x1p-48)) }

    /// A bound that the expectation exceeds with a probability of at most `failure`, whatever the distribution: the
    /// less of two, each of which may fail with half of it.
    ///
    /// - Chernoff and Hoeffding: a mean as low as m̄ has a probability of at most e^{−n·KL(m̄‖δ)} for an expectation δ
    ///   above m̄, since of all distributions on [0, 1] the one on {0, 1} has the largest moments. The δ at which that
    ///   is failure/2.
    /// - Empirical Bernstein: m̄ + √(2V·x/n) + 7x/(3(n − 1)), x = log(2/(failure/2)), V the sample variance (Maurer and
    ///   Pontil, arXiv 0907.3740, theorem 4).
    func upperBound(failure: Double) -> Double {
        let n = Double(count)
        guard count > 1 else { return 1 }
        let x = log(4 / failure)
        let variance = max(0, squares.value - sum.value * (sum.value / n)) / (n - 1) + 0x1p-48 * value
        let bernstein = value + (2 * variance * x / n).squareRoot() + 7 * x / (3 * (n - 1))
        return min(1, bernstein * (1 + 0x1p-48), chernoffBound(failure: failure / 2))
    }

    private func chernoffBound(failure: Double) -> Double {
        // Rounded up, and so is the entropy that is compared to it: a difference of numbers below 1.
        let target = -log(failure) / Double(count) * (1 + 0x1p-50)
        var (low, high) = (value, 1.0)
        while true {
            let middle = low > 0 ? (low * high).squareRoot() : high / 2
            guard middle > low, middle < high, high - low > 1e-12 * high else { return high }
            if relativeEntropy(value, middle) > target + 0x1p-50 { high = middle } else { low = middle }
        }
    }
}

/// KL(p‖q) of two coins, for p ≤ q.
func relativeEntropy(_ p: Double, _ q: Double) -> Double {
    if p == q { return 0 }
    if q == 1 { return p == 1 ? 0 : .infinity }
    let first = p > 0 ? p * log(p / q) : 0
    return first + (1 - p) * (log1p(-p) - log1p(-q))
}
