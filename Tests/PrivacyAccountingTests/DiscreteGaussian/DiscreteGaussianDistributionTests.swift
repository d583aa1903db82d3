import Foundation
import Testing

@testable import PrivacyAccounting

struct DiscreteGaussianDistributionTests {
    /// Z, variance and δ against plain sums, on both sides of σ = 1, where the series changes. Plain sums of up to
    /// 80σ terms err by 2⁻⁴⁰ relative at most.
    @Test(arguments: [0.1, 0.3, 0.75, 0.999, 1, 1.3, 5, 60])
    func seriesAreSumsOverTheIntegers(sigma: Double) throws {
        let law = try DiscreteGaussianDistribution(sigma: sigma)
        let reach = Int(40 * sigma) + 2
        let weights = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        let total = weights.reduce(0, +)
        #expect(abs(law.normalizer / total - 1) < 0x1p-40)
        let variance = zip(-reach...reach, weights).reduce(0) { $0 + Double($1.0 * $1.0) * $1.1 } / total
        #expect(abs(law.variance - variance) <= 0x1p-40 * variance)
        for (epsilon, shift) in [(0.0, 1), (0.1, 1), (0.7, 3), (2, 2)] {
            let plain = (-reach...reach + shift).reduce(0.0) {
                $0 + max(0, law.probability(of: $1 - shift) - exp(epsilon) * law.probability(of: $1))
            }
            let delta = try law.delta(epsilon: epsilon, sensitivity: shift)
            #expect(delta >= plain - 0x1p-50 && delta <= plain + 0x1p-40)
        }
    }

    @Test func extremes() throws {
        let wide = try DiscreteGaussianDistribution(sigma: 1e4)
        #expect(try wide.delta(epsilon: .infinity) == 0)
        #expect(try wide.delta(epsilon: 1, sensitivity: 0) == 0)
        #expect(try wide.delta(epsilon: 0, sensitivity: 1 << 30) == 1)
        #expect(try (0..<1e-290).contains(wide.delta(epsilon: 1000)))
        let narrow = try DiscreteGaussianDistribution(sigma: .leastNonzeroMagnitude)
        #expect(narrow.probability(of: 0) == 1 && narrow.probability(of: 1) == 0)
        #expect(try narrow.delta(epsilon: 5) == 1)
        #expect(try wide.renyiDivergence(order: 8, sensitivity: 100) >= 8.0 * 1e4 / 2 / 1e8)
        for sigma in [0, -1, .nan, 1.001e4, .infinity] {
            #expect(throws: AccountingError.self) { try DiscreteGaussianDistribution(sigma: sigma) }
        }
        #expect(throws: AccountingError.self) { try wide.delta(epsilon: -1) }
        #expect(throws: AccountingError.self) { try wide.delta(epsilon: 1, sensitivity: -1) }
        #expect(throws: AccountingError.self) { try wide.renyiDivergence(order: 1) }
    }

    /// Between integers the formula is above the sum, at them equal.
    @Test(arguments: [1.25, 1.5, 2, 2.7, 3, 8])
    func renyiDivergenceBoundsTheSum(order: Double) throws {
        let sigma = 0.5
        let law = try DiscreteGaussianDistribution(sigma: sigma)
        let sum = (-20...40).reduce(0.0) { sum, x in
            let exponent = order * Double((x - 1) * (x - 1)) + (1 - order) * Double(x * x)
            return sum + exp(-exponent / (2 * sigma * sigma)) / law.normalizer
        }
        let (truth, bound) = (log(sum) / (order - 1), try law.renyiDivergence(order: order))
        #expect(bound >= truth - 0x1p-40)
        #expect((bound - truth < 0x1p-40) == (order == order.rounded()))
    }
}
