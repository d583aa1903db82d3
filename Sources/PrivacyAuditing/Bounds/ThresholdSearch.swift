/// The threshold with the largest bound of one statistic: μ where it is of the Gaussian family, δ(0) for that of a
/// plan, else ε.
struct ThresholdSearch {
    let statistic: AuditStatistic
    let delta: Double

    struct Result {
        let threshold: Double
        let value: Double
    }

    /// The best of thresholds, of which there must be one, each taken for given at this significance. The first among
    /// equals.
    func best(of thresholds: [Double], _ scores: CanaryScores, significance: Double) -> Result {
        var best = Result(threshold: thresholds[0], value: 0)
        for threshold in thresholds {
            let guesses = scores.guesses(above: threshold)
            let value = bound(guesses, significance: significance, from: best.value)
            if value > best.value { best = Result(threshold: threshold, value: value) }
        }
        return best
    }

    /// The bound, or `least` where it is not above that: a test that does not reject there is not tried further.
    private func bound(_ guesses: Guesses, significance: Double, from least: Double) -> Double {
        switch statistic {
        case .clopperPearson:
            return ClopperPearsonLimits(guesses, significance: significance).epsilon(delta: delta)
        case .gaussian:
            return min(ClopperPearsonLimits(guesses, significance: significance).mu, GaussianConversion.greatestMu)
        case .oneRun:
            let test = OneRunTest(guesses: guesses, delta: delta, significance: significance)
            // At 40, q is 1 in Float64.
            return Bisection.greatest(from: least, atMost: 40) { test.rejects(epsilon: $0) }
        case .oneRunGaussian:
            let test = OneRunGaussianTest(guesses: guesses, significance: significance)
            return Bisection.greatest(from: least, atMost: GaussianConversion.greatestMu) { test.rejects(mu: $0) }
        case .exactTail:
            let tail = ExactTail(all: guesses.canaryCount, mistakeCount: guesses.mistakes)
            return Bisection.greatest(from: least, atMost: GaussianConversion.greatestMu) {
                tail.probability(mu: $0) <= significance
            }
        case .planFamily:
            // A guess about a fair coin is wrong with a probability of (1 − δ(0))/2 at least.
            let limit = ClopperPearsonLimits.upperLimit(
                guesses.mistakes, of: guesses.canaryCount, significance: significance)
            return max(0, 1 - 2 * limit - 0x1p-52)
        }
    }

    /// ε of a bound.
    func epsilon(_ value: Double) -> Double {
        statistic.isGaussian ? GaussianConversion.epsilon(mu: value, delta: delta) : value
    }
}
