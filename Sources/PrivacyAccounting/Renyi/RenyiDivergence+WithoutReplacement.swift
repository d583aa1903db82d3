import Foundation

extension RenyiDivergence {
    /// A bound on D_α of the Gaussian mechanism on a uniformly random subset of a fraction γ of the records, under
    /// replace-one (arXiv 1808.00087, theorem 27, in the form for the Gaussian mechanism). `noiseMultiplier` is here
    /// the noise over the distance that *replacing* one record moves the sum.
    ///
    ///     e^{(α−1)D_α} ≤ 1 + Σ_{j=2}^α C(α, j) γ^j min(4·√(B(2⌊j/2⌋)·B(2⌈j/2⌉)), 2e^{j(j−1)/(2z²)})
    ///     B(l) = E_{x ~ N(0, z²)} [(exp((2x − 1)/(2z²)) − 1)^l]
    ///
    /// Between integers, (α − 1)·D_α is convex in α, and the chord bounds it from above (corollary 10 there).
    static func withoutReplacementGaussian(
        order: Double, fraction gamma: Double, noiseMultiplier z: Double, moments: CentredMoments
    ) -> Double {
        let limit = gaussian(order: order, noiseMultiplier: z)
        if gamma == 1 { return limit }
        let lower = order.rounded(.down)
        let atLower = logMomentBound(lower, gamma, z, moments)
        guard order > lower else { return min(limit, atLower / (order - 1)) }
        let atUpper = logMomentBound(lower + 1, gamma, z, moments)
        let share = order - lower
        return min(limit, ((1 - share) * atLower + share * atUpper) / (order - 1))
    }

    private static func logMomentBound(
        _ order: Double, _ gamma: Double, _ z: Double, _ moments: CentredMoments
    ) -> Double {
        guard order >= 2 else { return 0 }
        guard order < mostNodes else { return .infinity }
        var excess = LogSum()
        for j in 2...Int(order) {
            let gaussian = Double(j) * Double(j - 1) / 2 / z / z
            var term = log(2) + gaussian
            if j / 2 < moments.logValues.count - 1 {
                let (low, high) = (moments.logValues[j / 2], moments.logValues[(j + 1) / 2])
                term = min(term, log(4) + 0.5 * (low + high))
            }
            excess.add(logBinomial(order, Double(j)) + Double(j) * log(gamma) + term)
        }
        return excess.value > 30 ? excess.value + exp(-excess.value) : log1p(exp(excess.value))
    }

    /// log B(0), log B(2), …, log B(2n) for one noise multiplier, computed once for all orders.
    ///
    /// The paper writes B(l) as an l-th forward difference; as a difference it cancels catastrophically. As the
    /// expectation of an even power every term of the quadrature is positive.
    struct CentredMoments {
        let logValues: [Double]

        /// Below it the nodes are too many, more than `Int` counts in the end, and the Gaussian's moments in the other
        /// bound, of hundreds in the exponent, are as good but for a factor of 2.
        private static let leastNoiseMultiplier = 0.05

        init(noiseMultiplier z: Double, highest: Int = 128) {
            guard z >= Self.leastNoiseMultiplier else {
                logValues = []
                return
            }
            let step = min(z / 6, z * z / 2)
            logValues = (0...highest).map { half in
                let power = 2 * Double(half)
                let reach = 10 * z + 1
                var sum = LogSum()
                for index in Int((-reach / step).rounded(.down))...Int(((power + reach) / step).rounded(.up)) {
                    let x = Double(index) * step
                    let exponent = (2 * x - 1) / 2 / z / z
                    let logBase = exponent > 0 ? logExpMinusOne(exponent) : log(-expm1(exponent))
                    let logPower = half == 0 ? 0 : power * logBase
                    sum.add(logPower + Normal.logDensity(x / z))
                }
                return sum.value + log(step / z) + 1e-12
            }
        }
    }
}
