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

    private static func holds(_ sum: LikelihoodRatioSum, moved: Int = 0) -> Bool {
        // With little noise higher moments are made beyond the grid.
        (1...(sum.grid.noiseMultiplier < 0.5 ? 2 : 4)).allSatisfy { order in
            let exact = logMoment(order, z: sum.grid.noiseMultiplier, terms: sum.terms)
            let shift = Double(order * moved) * sum.interval
            return sum.logMoment(Double(order)) + shift >= exact - 1e-10 * (1 + abs(exact)) - 0x1p-30
        }
    }

    /// **Guarantee:** larger in the convex order: the mean is kept, higher moments only grow, and by little.
    @Test func theUpperSideIsLargerInTheConvexOrder() {
        for (z, terms) in Self.settings {
            let sum = LikelihoodRatioSum.of(terms: terms, noiseMultiplier: z, side: .upper)
            #expect(Self.holds(sum), "\(z) \(terms)")
            #expect(abs(sum.logMoment(1)) < 1e-8)
            let exact = Self.logMoment(2, z: z, terms: terms)
            #expect(sum.logMoment(2) < exact * (1 + 1e-3))
            // The broken twin has each label one grid point lower.
            #expect(!Self.holds(sum, moved: -1))
            #expect(sum.zeroMass < 1e-28 && sum.excess < 1e-28 * Double(terms) && sum.massError < 1e-8)
        }
    }

    /// **Guarantee:** of the lower side, means lie within what is said of them: with all labels moved down by κ₋ no
    /// moment is above the exact one, with all moved up by κ₊ none is below, but for the mass that is left out.
    @Test func theLowerSideKnowsItsMeans() {
        for (z, terms) in Self.settings {
            let sum = LikelihoodRatioSum.of(terms: terms, noiseMultiplier: z, side: .lower)
            #expect(sum.shiftBelow > 0 && sum.shiftAbove > 0)
            func isBelow(_ shift: Double) -> Bool {
                (2...4).allSatisfy { order in
                    let exact = Self.logMoment(order, z: z, terms: terms)
                    return sum.logMoment(Double(order)) - Double(order) * shift <= exact + 1e-10 * (1 + exact)
                }
            }
            #expect(isBelow(sum.shiftBelow), "\(z) \(terms)")
            // The broken twin takes labels at their values: those are spread, and more than the truth.
            #expect(!isBelow(0))
            let total = sum.masses.reduce(0, +)
            #expect(total <= 1 + 1e-8 && total > 1 - 1e-12)
        }
    }

    /// Shifts stay small against the standard deviation of X.
    @Test func shiftsAreOfSecondOrder() {
        for (z, terms) in Self.settings where terms > 6 {
            let sum = LikelihoodRatioSum.of(terms: terms, noiseMultiplier: z, side: .lower)
            let deviation = Self.logMoment(2, z: z, terms: terms).squareRoot()
            #expect(sum.shiftBelow < 0.02 * deviation, "\(z) \(terms) \(sum.shiftBelow / deviation)")
        }
    }
}
