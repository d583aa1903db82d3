import Foundation

/// In each step with probability p, but in none of the b − 1 steps after a participation.
///
/// No more than b coefficients: contributions do not overlap, and the likelihood ratio is a product over
/// participations. With R(i) that of the steps from i on, given that the example can take part in step i,
///
///     R(i) = (1 − p)·R(i + 1) + p·exp(Σ_j c_j(y_{i+j} − c_j/2)/z²)·R(i + b),   R(i) = 1 for i ≥ T
///
/// A cold start has R(0). A warm one has R(i) with the probability that the first free step of a stationary process is
/// i: 1/(1 + (b − 1)p) for i = 0, and p/(1 + (b − 1)p) for 0 < i < b (arXiv 2602.09338).
struct SeparatedParticipation: ParticipationLaw {
    let iterations: Int
    let separation: Int
    let probability: Double
    let coefficients: [Double]
    let noiseMultiplier: Double
    let start: SimulatedRun.Start

    init(
        iterations: Int, separation: Int, probability: Double, coefficients: [Double], noiseMultiplier: Double,
        start: SimulatedRun.Start
    ) throws(AccountingError) {
        self.iterations = try Check.count(iterations, "iterations")
        self.separation = try Check.count(separation, "separation", atLeast: 1)
        self.probability = try Check.probability(probability, "probability")
        self.coefficients = try Check.coefficients(coefficients)
        guard coefficients.count <= separation else {
            throw .outOfRange(
                name: "The number of coefficients", value: "\(coefficients.count)", allowed: "in 1...\(separation)")
        }
        self.noiseMultiplier = try Check.positive(noiseMultiplier, "noiseMultiplier")
        self.start = start
    }

    func contributions(using generator: inout some RandomNumberGenerator) -> [Double] {
        var mean = [Double](repeating: 0, count: iterations)
        var step = 0
        if start == .warm {
            let total = 1 + Double(separation - 1) * probability
            let place = Double.random(in: 0..<1, using: &generator) * total
            if place >= 1 { step = min(separation - 1, 1 + Int((place - 1) / probability)) }
        }
        while step < iterations {
            guard Double.random(in: 0..<1, using: &generator) < probability else {
                step += 1
                continue
            }
            for (lag, coefficient) in coefficients.enumerated() where step + lag < iterations {
                mean[step + lag] = coefficient
            }
            step += separation
        }
        return mean
    }

    /// O(T·bands).
    func logRatio(_ outcomes: [Double]) -> Double {
        let precision = 1 / (noiseMultiplier * noiseMultiplier)
        let (logAbsent, logPresent) = (log1p(-probability), log(probability))
        var rest = [Double](repeating: 0, count: iterations + separation)
        for step in (0..<iterations).reversed() {
            var exponent = 0.0
            for (lag, coefficient) in coefficients.enumerated() where step + lag < iterations {
                exponent += coefficient * (outcomes[step + lag] - coefficient / 2)
            }
            var sum = LogSum()
            sum.add(logAbsent + rest[step + 1])
            sum.add(logPresent + precision * exponent + rest[step + separation])
            rest[step] = sum.value
        }
        guard start == .warm else { return rest[0] }
        var sum = LogSum()
        sum.add(rest[0])
        for step in 1..<max(1, separation) { sum.add(logPresent + rest[step]) }
        return sum.value - log1p(Double(separation - 1) * probability)
    }
}

extension Check {
    /// Coefficients of a strategy: c₀ > 0, and none of the others negative.
    static func coefficients(_ values: [Double]) throws(AccountingError) -> [Double] {
        guard let first = values.first, first > 0, values.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw .outOfRange(
                name: "coefficients", value: "\(values)", allowed: "finite, one above 0 and then none below")
        }
        return values
    }

    /// A number in (0, ∞).
    static func positive(_ value: Double, _ name: String) throws(AccountingError) -> Double {
        guard value > 0, value.isFinite else {
            throw .outOfRange(name: name, value: "\(value)", allowed: "in (0, ∞)")
        }
        return value
    }
}
