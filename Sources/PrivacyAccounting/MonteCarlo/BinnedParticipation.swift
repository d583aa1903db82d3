import Foundation

/// In steps i, i + b, i + 2b, … for a uniformly random bin i of b. With m_i = Cx of bin i,
///
///     log dP/dQ(y) = log (1/b)Σ_i exp((2⟨m_i, y⟩ − ‖m_i‖²)/(2z²))
struct BinnedParticipation: ParticipationLaw {
    let iterations: Int
    let noiseMultiplier: Double
    /// m_i.
    let means: [[Double]]

    init(
        iterations: Int, bins: Int, coefficients: [Double], noiseMultiplier: Double
    ) throws(AccountingError) {
        self.iterations = try Check.count(iterations, "iterations")
        let bins = try Check.count(bins, "bins", atLeast: 1)
        let coefficients = try Check.coefficients(coefficients)
        self.noiseMultiplier = try Check.positive(noiseMultiplier, "noiseMultiplier")
        means = (0..<bins).map { bin in
            var mean = [Double](repeating: 0, count: iterations)
            for step in stride(from: bin, to: iterations, by: bins) {
                for (lag, coefficient) in coefficients.enumerated() where step + lag < iterations {
                    mean[step + lag] += coefficient
                }
            }
            return mean
        }
    }

    func contributions(using generator: inout some RandomNumberGenerator) -> [Double] {
        means[Int.random(in: 0..<means.count, using: &generator)]
    }

    /// O(T·b).
    func logRatio(_ outcomes: [Double]) -> Double {
        let precision = 1 / (noiseMultiplier * noiseMultiplier)
        var sum = LogSum()
        for mean in means {
            // (2⟨m, y⟩ − ‖m‖²)/2 = Σ m(y − m/2).
            sum.add(precision * zip(mean, outcomes).reduce(0) { $0 + $1.0 * ($1.1 - $1.0 / 2) })
        }
        return sum.value - log(Double(means.count))
    }
}
