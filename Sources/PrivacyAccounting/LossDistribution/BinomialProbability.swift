import Foundation

/// Probabilities of the binomial distribution Bin(n, q), between proven bounds.
///
/// One term is taken in the saddle-point form (C. Loader, Fast and accurate computation of binomial probabilities,
/// 2000), which has no large numbers to subtract, unlike log Γ:
///
///     p(x) = √(n/(2πx(n − x)))·e^{s(n) − s(x) − s(n − x) − D(x, nq) − D(n − x, n(1 − q))}
///     s(n) = log n! − log(√(2πn)·(n/e)ⁿ)          D(x, m) = x·log(x/m) − (x − m) ≥ 0
///
/// The others follow by the ratios of neighbours. With u = 2⁻⁵³ the relative error is at most the sum of
///
/// - 2⁻⁴⁶ for the root, the three s, exponential and logarithms (each a few u, of numbers below 100),
/// - 2⁻⁴⁵·(D + D′): x − nq is taken with the exact product nq, so that it errs by 3u and D by 16u where its series
///   holds, by 160u elsewhere, where x·log(x/m) and x − m cancel to a tenth at most,
/// - 6u·j for the j-th term from the start: two roundings for the odds, four for each ratio; weighted by the terms,
/// - u per addition.
///
/// Terms left out are bounded by a geometric series, because the ratios fall.
package struct BinomialProbability {
    /// At most the probability.
    package let lower: Double
    /// At least the probability; at most 1. 0 only where that is exact, else at least ``least``.
    package let upper: Double

    /// What stands for probabilities below it.
    static let least = 1e-300

    /// Above this variance, or 2⁵³ trials, the bounds are 0 and 1: the sums would take seconds.
    private static let greatestVariance = 1e13

    /// P(first ≤ Bin(n, q) ≤ last), for q in [0, 1].
    package init(from first: Int, through last: Int, trials n: Int, success q: Double) {
        let (first, last) = (max(0, first), min(n, last))
        if first > last {
            self.init(exactly: 0)
        } else if first == 0, last == n {
            self.init(exactly: 1)
        } else if q <= 0 || q >= 1 {
            self.init(exactly: (first...last).contains(q <= 0 ? 0 : n) ? 1 : 0)
        } else if n >= 1 << 53 || Double(n) * q * (1 - q) > Self.greatestVariance {
            self.init(lower: 0, upper: 1)
        } else {
            let start = min(last, max(first, Int(Double(n + 1) * q)))
            let term = Term(at: start, trials: n, success: q)
            let sum = RelativeSum(from: first, through: last, start: start, trials: n, success: q)
            let logValue = term.logValue + log(sum.value)
            let error = term.error + sum.error
            // e⁻⁶⁹¹ < 10⁻³⁰⁰. Above it D is below 10³, and the error far below 1.
            if logValue + error < -691 {
                self.init(lower: 0, upper: Self.least)
            } else {
                let value = exp(logValue)
                // e^error ≤ 1 + 2·error, and e^−error ≥ 1 − error.
                let most = value * (1 + 2 * error) * (1 + sum.omitted)
                self.init(lower: value * max(0, 1 - error), upper: max(Self.least, min(1, most)))
            }
        }
    }

    private init(exactly value: Double) { self.init(lower: value, upper: value) }

    private init(lower: Double, upper: Double) { (self.lower, self.upper) = (lower, upper) }

    /// log p(x), and a bound on its error but for those of the sum.
    private struct Term {
        let logValue: Double
        let error: Double

        init(at x: Int, trials n: Int, success q: Double) {
            let trials = Double(n)
            if x == 0 || x == n {
                logValue = trials * (x == 0 ? log1p(-q) : log(q))
                error = 0x1p-46 - 0x1p-49 * logValue
                return
            }
            let (successes, failures) = (Double(x), Double(n - x))
            // nq = product + rest, exactly.
            let product = trials * q
            let rest = (-product).addingProduct(trials, q)
            let excess = (successes - product) - rest
            let deviance =
                Self.deviance(successes, mean: product, excess: excess)
                + Self.deviance(failures, mean: (trials - product) - rest, excess: -excess)
            let root = 0.5 * log(trials / (2 * Double.pi * successes) / failures)
            let series = Self.stirling(n) - Self.stirling(x) - Self.stirling(n - x)
            logValue = root + series - deviance
            error = 0x1p-46 + 0x1p-45 * deviance
        }

        /// D(x, m) = x·log(x/m) − d, d = x − m. By v = d/(x + m): x·log(x/m) = 2x·atanh(v), and 2xv − d = dv.
        static func deviance(_ x: Double, mean m: Double, excess d: Double) -> Double {
            let v = d / (x + m)
            guard abs(v) < 0.1 else { return x * log(x / m) - d }
            var (sum, power, k) = (d * v, 2 * x * v, 1.0)
            while true {
                power *= v * v
                k += 2
                let next = sum + power / k
                if next == sum { return sum }
                sum = next
            }
        }

        /// s(n) for n ≥ 1: from a table, or by Stirling's series, whose error is below the first term left out,
        /// 691/(360360·n¹¹) < 2⁻⁵³ for n ≥ 16.
        static func stirling(_ n: Int) -> Double {
            if n < 16 { return table[n - 1] }
            let x = Double(n)
            let y = 1 / (x * x)
            return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y / 1188)))) / x
        }

        /// mpmath: loggamma(n + 1) − (log(2πn)/2 + n·log(n) − n), n = 1 … 15.
        private static let table = [
            0.0810614667953272582, 0.0413406959554092941, 0.0276779256849983391, 0.0207906721037650931,
            0.0166446911898211922, 0.013876128823070748, 0.0118967099458917701, 0.0104112652619720965,
            0.00925546218271273292, 0.00833056343336287126, 0.00757367548795184079, 0.00694284010720952987,
            0.00640899418800420707, 0.00595137011275884774, 0.00555473355196280137,
        ]
    }

    /// Σ p(j)/p(start) over [first, last], from `start` outward in both directions.
    private struct RelativeSum {
        private(set) var value = 1.0
        private(set) var error = 0.0
        /// A bound on what was left out, relative to the sum.
        private(set) var omitted = 0.0

        init(from first: Int, through last: Int, start: Int, trials n: Int, success q: Double) {
            let odds = q / (1 - q)
            // Σ j·termⱼ, for the roundings that accumulate.
            var (travelled, additions) = (0.0, 0.0)
            for direction in [1, -1] {
                func ratio(_ j: Int) -> Double {
                    direction > 0 ? Double(n - j) / Double(j + 1) * odds : Double(j) / Double(n - j + 1) / odds
                }
                let end = direction > 0 ? last : first
                var (j, term, steps) = (start, 1.0, 0.0)
                while j != end {
                    term *= ratio(j)
                    j += direction
                    steps += 1
                    value += term
                    travelled += steps * term
                    guard term < value * 1e-18 else { continue }
                    if j != end {
                        // The ratios fall from here on, and are below 1.
                        let next = ratio(j)
                        omitted += 2 * term * next / (1 - next)
                    }
                    break
                }
                additions += steps
            }
            omitted /= value
            error = 0x1p-53 * (6 * travelled / value + additions)
        }
    }
}
