import Foundation
import Testing

@testable import PrivacyAccounting

/// `discrete` of `mechanisms.json`: sums over the integers in Float64.
@Suite struct DiscreteGaussianReferenceTests {
    struct File: Decodable {
        let discrete: Discrete
    }

    struct Discrete: Decodable {
        let law: [Law]
        let renyi_sampled: [Sampled]
        let delta: [Delta]
    }

    struct Law: Decodable {
        let sigma, probability_of_0_f64, variance_f64: Double
    }

    struct Sampled: Decodable {
        let sigma, probability, renyi_f64: Double
        let order: Int
    }

    struct Delta: Decodable {
        let sigma, epsilon, delta_f64: Double
    }

    let reference: Discrete

    init() throws { reference = try ReferenceValues.load("mechanisms.json", as: File.self).discrete }

    /// Sums of 601 positive terms: added in pairs or not, and with exponents that weigh less the larger they are, both
    /// sides are within 64 units of 2⁻⁵³, 2⁻⁴⁶ together.
    @Test func lawMatches() throws {
        for row in reference.law {
            let law = try DiscreteGaussianDistribution(sigma: row.sigma)
            #expect(abs(law.probability(of: 0) / row.probability_of_0_f64 - 1) < 0x1p-46)
            #expect(abs(law.variance / row.variance_f64 - 1) < 0x1p-46)
            // Control: what the continuous law would have.
            if row.sigma < 1 { #expect(abs(row.sigma * row.sigma / row.variance_f64 - 1) > 1e-5) }
        }
    }

    /// The reference subtracts numbers below 1, of errors of 2⁻⁵⁰ together; ours is rounded up by less than 2⁻⁴⁶.
    @Test func deltaMatches() throws {
        for row in reference.delta {
            let delta = try DiscreteGaussianDistribution(sigma: row.sigma).delta(epsilon: row.epsilon)
            #expect(delta >= row.delta_f64 - 0x1p-50 && delta < row.delta_f64 + 0x1p-46)
        }
    }

    /// At integer orders the Rényi divergence of Poisson sampling is the continuous formula's: the library's, which adds
    /// 10⁻¹² of it, and the sum over the integers itself, whose logarithm of 1 + x has an absolute error of 2⁻⁴⁶.
    @Test func sampledRenyiDivergenceMatches() throws {
        for row in reference.renyi_sampled {
            let (q, order) = (row.probability, Double(row.order))
            func sum(_ sigma: Double) throws -> Double {
                let law = try DiscreteGaussianDistribution(sigma: sigma)
                let moment = (-200...200).reduce(0.0) { sum, x in
                    let ratio = exp((2 * Double(x) - 1) / (2 * sigma * sigma))
                    return sum + law.probability(of: x) * pow(1 - q + q * ratio, order)
                }
                return log(moment) / (order - 1)
            }
            let ours = RenyiDivergence.poissonGaussian(order: order, probability: q, noiseMultiplier: row.sigma)
            let tolerance = 2e-12 * row.renyi_f64 + 0x1p-46
            #expect(abs(ours - row.renyi_f64) < tolerance)
            #expect(try abs(sum(row.sigma) - row.renyi_f64) < tolerance)
            // Control: σ 0.1 % off.
            #expect(try abs(sum(row.sigma * 1.001) - row.renyi_f64) > tolerance)
        }
    }
}
