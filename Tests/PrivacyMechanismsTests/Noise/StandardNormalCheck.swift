import Foundation

/// Tests of the hypothesis that numbers are independent standard normals, each at significance level 10⁻⁶.
///
/// Each statistic is scaled so that it is to stay below 1. The numbers come from fixed seeds: a check that has passed
/// once passes always, and the level says how surprising a failure after a change of the generator would be.
enum StandardNormalCheck {
    /// √n times the largest distance between the empirical and the normal distribution function, over its critical
    /// value.
    ///
    /// Kolmogorov's limit (1933): P(√n·D > λ) → 2·Σ (-1)ᵏ⁻¹·exp(-2k²λ²); of which the first term alone is 10⁻⁶ at
    /// λ = √(ln(2·10⁶) / 2), the second 10⁻²⁴.
    static func distribution(_ numbers: [Float]) -> Double {
        let sorted = numbers.map(Double.init).sorted()
        let n = Double(sorted.count)
        var distance = 0.0
        for (index, x) in sorted.enumerated() {
            let probability = erfc(-x / 2.0.squareRoot()) / 2
            distance = max(distance, Double(index + 1) / n - probability, probability - Double(index) / n)
        }
        return n.squareRoot() * distance / (log(2e6) / 2).squareRoot()
    }

    /// The two-sided critical value of a standard normal: P(|z| > 4.8916) = 10⁻⁶ (the inverse error function,
    /// computed with mpmath).
    private static let criticalValue = 4.8916

    /// The mean of products of two functions of different numbers, each of mean 0 and variance 1, as a statistic that
    /// tends to a standard normal where they are independent.
    private static func correlation(_ pairs: some Sequence<(Float, Float)>, _ function: (Double) -> Double) -> Double {
        var (sum, count) = (0.0, 0.0)
        for (left, right) in pairs {
            sum += function(Double(left)) * function(Double(right))
            count += 1
        }
        return (sum / count.squareRoot()).magnitude / criticalValue
    }

    private static func squareAboutMean(_ x: Double) -> Double { (x * x - 1) / 2.0.squareRoot() }

    /// The correlation of the numbers, and of their squares, with those `lag` places on.
    static func serialCorrelation(_ numbers: [Float], lag: Int) -> Double {
        let pairs = zip(numbers, numbers.dropFirst(lag))
        return max(correlation(pairs) { $0 }, correlation(pairs, squareAboutMean))
    }

    /// The correlation, also of the squares, within the pairs that one block gives: a pair shares its radius.
    static func pairCorrelation(_ numbers: [Float]) -> Double {
        let pairs = stride(from: 0, to: numbers.count - 1, by: 2).map { (numbers[$0], numbers[$0 + 1]) }
        return max(correlation(pairs) { $0 }, correlation(pairs, squareAboutMean))
    }
}
