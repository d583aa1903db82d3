import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct LikelihoodRatioSumTests {
    private static let settings: [(z: Double, terms: Int)] = [(0.3, 3), (0.8, 7), (1, 24), (3, 100), (20, 6)]

    /// log E X^α of the mean of n ratios, exactly: E (Σ X)^α = α!·[y^α] (Σ_j e^{j(j−1)/(2z²)}·y^j/j!)ⁿ.
    private static func logMoment(_ order: Int, z: Double, terms: Int) -> Double {
        let one = (0...order).map { (j: Int) -> Double in
            let exponent = Double(j * (j - 1)) / (2 * z * z)
            return exp(exponent - lgammaPositive(Double(j) + 1))
        }
        var power = [1.0] + [Double](repeating: 0, count: order)
        for _ in 0..<terms {
            let last = power
            power = (0...order).map { (degree: Int) -> Double in
                (0...degree).reduce(0) { $0 + last[$1] * one[degree - $1] }
            }
        }
        return log(power[order]) + lgammaPositive(Double(order) + 1) - Double(order) * log(Double(terms))
    }

    /// log E (E[S | J]/n)^α.
    private static func logMoment(ofMeans sum: LikelihoodRatioSum, _ order: Double) -> Double {
        var result = LogSum()
        for measure in sum.masses where measure.mass > 0 && measure.moment > 0 {
            result.add(log(measure.mass) + order * log(measure.moment / measure.mass / Double(sum.terms)))
        }
        return result.value
    }

    /// With little noise moments of a higher order are made beyond the grid.
    private static func orders(_ z: Double) -> ClosedRange<Int> { 2...(z < 0.5 ? 2 : 4) }

    private static func isAbove(_ logMoment: (Double) -> Double, z: Double, terms: Int) -> Bool {
        orders(z).allSatisfy { order in
            let exact = Self.logMoment(order, z: z, terms: terms)
            return logMoment(Double(order)) >= exact - 1e-10 * (1 + exact)
        }
    }

    private static func isBelow(_ logMoment: (Double) -> Double, z: Double, terms: Int) -> Bool {
        orders(z).allSatisfy { order in
            let exact = Self.logMoment(order, z: z, terms: terms)
            return logMoment(Double(order)) <= exact + 1e-10 * (1 + exact)
        }
    }

    /// **Guarantee:** labels' values are larger than S in the convex order, and means given labels smaller: the mean is
    /// kept, and higher moments lie on their side of the truth, by little. Either is the other's broken twin.
    @Test func theTruthLiesBetweenInTheConvexOrder() {
        for (z, terms) in Self.settings {
            let sum = LikelihoodRatioSum.of(terms: terms, noiseMultiplier: z)
            let means = { Self.logMoment(ofMeans: sum, $0) }
            #expect(Self.isAbove(sum.logMoment, z: z, terms: terms), "\(z) \(terms)")
            #expect(Self.isBelow(means, z: z, terms: terms), "\(z) \(terms)")
            #expect(!Self.isBelow(sum.logMoment, z: z, terms: terms))
            #expect(!Self.isAbove(means, z: z, terms: terms))
            #expect(abs(sum.logMoment(1)) < 1e-8 && abs(means(1)) < 1e-8)
            let exact = Self.logMoment(2, z: z, terms: terms)
            #expect(sum.logMoment(2) < exact * (1 + 1e-3) && means(2) > exact * (1 - 1e-3))
        }
    }

    /// What is cut off is next to nothing, and the rest is all.
    @Test func littleIsCutOff() {
        for (z, terms) in Self.settings {
            let sum = LikelihoodRatioSum.of(terms: terms, noiseMultiplier: z)
            #expect(sum.zeroMass < 1e-28 && sum.excess < 1e-28 * Double(terms) && sum.massError < 1e-8)
            #expect(abs(sum.masses.reduce(0) { $0 + $1.mass } - 1) < 1e-8)
            #expect(abs(sum.masses.reduce(0) { $0 + $1.moment } / Double(terms) - 1) < 1e-8)
            #expect(sum.indices.count < 6000)
        }
    }
}
