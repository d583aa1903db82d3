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
        let renyiSampled: [Sampled]
        let delta: [Delta]

        enum CodingKeys: String, CodingKey {
            case law, delta
            case renyiSampled = "renyi_sampled"
        }
    }

    struct Law: Decodable {
        let sigma, probabilityOf0, variance: Double

        enum CodingKeys: String, CodingKey {
            case sigma
            case probabilityOf0 = "probability_of_0_f64"
            case variance = "variance_f64"
        }
    }

    struct Sampled: Decodable {
        let sigma, probability, renyi: Double
        let order: Int

        enum CodingKeys: String, CodingKey {
            case sigma, probability, order
            case renyi = "renyi_f64"
        }
    }

    struct Delta: Decodable {
        let sigma, epsilon, delta: Double

        enum CodingKeys: String, CodingKey {
            case sigma, epsilon
            case delta = "delta_f64"
        }
    }

    let reference: Discrete

    init() throws { reference = try ReferenceValues.load("mechanisms.json", as: File.self).discrete }

    /// Sums of 601 positive terms: added in pairs or not, and with exponents that weigh less the larger they are, both
    /// sides are within 64 units of 2⁻⁵³, 2⁻⁴⁶ together.
    @Test func lawMatches() throws {
        for row in reference.law {
            let law = try DiscreteGaussianDistribution(sigma: row.sigma)
            #expect(abs(law.probability(of: 0) / row.probabilityOf0 - 1) < 0x1p-46)
            #expect(abs(law.variance / row.variance - 1) < 0x1p-46)
            // Control: what the continuous law would have.
            if row.sigma < 1 { #expect(abs(row.sigma * row.sigma / row.variance - 1) > 1e-5) }
        }
    }

    /// The reference subtracts numbers below 1, of errors of 2⁻⁵⁰ together; ours is rounded up by less than 2⁻⁴⁶.
    @Test func deltaMatches() throws {
        for row in reference.delta {
            let delta = try DiscreteGaussianDistribution(sigma: row.sigma).delta(epsilon: row.epsilon)
            #expect(delta >= row.delta - 0x1p-50 && delta < row.delta + 0x1p-46)
        }
    }

    /// At integer orders the Rényi divergence of Poisson sampling is the continuous formula's: the library's, which
    /// adds 10⁻¹², and the sum over the integers itself, with an absolute error of 2⁻⁴⁶: exponents near its peak are
    /// below 64, and their roundings below 2⁻⁴⁷.
    @Test func sampledRenyiDivergenceMatches() throws {
        for row in reference.renyiSampled {
            let (q, order) = (row.probability, Double(row.order))
            func sum(_ sigma: Double) throws -> Double {
                let law = try DiscreteGaussianDistribution(sigma: sigma)
                let width: Double = 2 * sigma * sigma
                let moment = (-60...60).map(Double.init).reduce(0.0) { (sum: Double, x: Double) -> Double in
                    let ratio: Double = exp((2 * x - 1) / width)
                    let power: Double = order * log(1 - q + q * ratio)
                    return sum + exp(power - x * x / width)
                }
                return log(moment / law.normalizer) / (order - 1)
            }
            let ours = RenyiDivergence.poissonGaussian(order: order, probability: q, noiseMultiplier: row.sigma)
            let tolerance = 2e-12 * row.renyi + 0x1p-46
            #expect(abs(ours - row.renyi) < tolerance)
            #expect(try abs(sum(row.sigma) - row.renyi) < tolerance)
            // Control: σ 0.1 % off.
            #expect(try abs(sum(row.sigma * 1.001) - row.renyi) > tolerance)
        }
    }
}
