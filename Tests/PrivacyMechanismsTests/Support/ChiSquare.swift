import Foundation

/// Pearson's test, over its critical value: to stay below 1, at a false-alarm rate below 10⁻⁶.
enum ChiSquare {
    /// The critical value of k degrees of freedom by Wilson and Hilferty (1931) at z = 5, whose own level is
    /// 2.9·10⁻⁷: room for the approximation's error at k ≥ 5.
    static func criticalValue(_ k: Int) -> Double {
        let k = Double(k)
        let root = 1 - 2 / (9 * k) + 5 * (2 / (9 * k)).squareRoot()
        return k * root * root * root
    }

    /// Counts against expected counts; bins of fewer than twenty expected are one bin.
    static func statistic(_ counts: [Int], expected: [Double]) -> Double {
        var (sum, bins, restCount, restExpected) = (0.0, 0, 0.0, 0.0)
        for (count, expected) in zip(counts, expected) {
            if expected < 20 {
                restCount += Double(count)
                restExpected += expected
            } else {
                sum += (Double(count) - expected) * (Double(count) - expected) / expected
                bins += 1
            }
        }
        if restExpected >= 5 {
            sum += (restCount - restExpected) * (restCount - restExpected) / restExpected
            bins += 1
        } else if restCount > 40 {
            // Poisson of mean 5 passes 40 with less than 10⁻²⁰.
            return .infinity
        }
        return sum / criticalValue(bins - 1)
    }

    /// Two samples of the same size against each other; bins of fewer than forty in both are one bin.
    static func statistic(_ first: [Int: Int], _ second: [Int: Int]) -> Double {
        var (sum, bins, rest) = (0.0, 0, (0.0, 0.0))
        func add(_ a: Double, _ b: Double) {
            sum += (a - b) * (a - b) / (a + b)
            bins += 1
        }
        for key in Set(first.keys).union(second.keys) {
            let (a, b) = (Double(first[key, default: 0]), Double(second[key, default: 0]))
            if a + b < 40 { rest = (rest.0 + a, rest.1 + b) } else { add(a, b) }
        }
        if rest.0 + rest.1 > 0 { add(rest.0, rest.1) }
        return sum / criticalValue(bins - 1)
    }
}
