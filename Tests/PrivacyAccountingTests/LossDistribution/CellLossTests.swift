import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct CellLossTests {
    static let shape = CellShape(fineness: 12, widest: .infinity, reach: 0)

    static func one(_ pair: any PrivacyLossPair, _ side: LossModel.Side) -> CellLoss {
        CellLoss(pair, side: side, tail: 1e-14, shape: shape)
    }

    /// δ(ε) = P(L > ε) − e^ε·Q(L > ε) lies between both sides, everywhere. The twin is an upper side whose losses are
    /// a quarter of a cell lower.
    @Test func oneStepIsBetweenBothSides() {
        for pair in PrivacyLossPairTests.pairs {
            let (upper, lower) = (Self.one(pair, .upper), Self.one(pair, .lower))
            var isTwinCaught = false
            for step in -20...80 {
                let epsilon = 0.03 * Double(step)
                let exact = PrivacyLossPairTests.delta(pair, epsilon)
                let most = upper.delta(epsilon: epsilon, side: .upper)
                #expect(most >= exact * (1 - 1e-12) - 1e-15, "\(pair) \(epsilon)")
                #expect(
                    lower.delta(epsilon: epsilon, side: .lower) <= exact * (1 + 1e-12) + 1e-15, "\(pair) \(epsilon)")
                #expect(most <= exact + 0.02, "\(pair) \(epsilon)")
                if upper.delta(epsilon: epsilon + 0.02, side: .upper) < exact - 1e-6 { isTwinCaught = true }
            }
            #expect(isTwinCaught, "\(pair)")
        }
    }

    /// A sum of two is above, and below, the double integral: δ₂(ε) = E_P δ₁(ε − L), by the atoms of a side that is on
    /// the same side.
    @Test func sumsStayOnTheirSides() {
        let pair = SubsampledPair(GaussianPair(mu: 1), probability: 0.3)
        let fine = CellShape(fineness: 200, widest: .infinity, reach: 0)
        for side in [LossModel.Side.upper, .lower] {
            let coarse = Self.one(pair, side).times(2, side: side, tail: 1e-14)
            // Narrow cells on the *other* side of the truth: what is coarse has to be beyond even these.
            let other: LossModel.Side = side == .upper ? .lower : .upper
            let exact = CellLoss(pair, side: other, tail: 1e-14, shape: fine)
            for epsilon in [0.0, 0.1, 0.5, 1, 2] {
                let sum = zip(exact.offsets, exact.masses).reduce(0) {
                    $0 + $1.1 * PrivacyLossPairTests.delta(pair, epsilon - exact.centre - $1.0)
                }
                let ours = coarse.delta(epsilon: epsilon, side: side)
                // Narrow cells are off by some (1/200)² of their share, coarse ones by (1/12)².
                #expect(side == .upper ? ours >= sum * (1 - 1e-4) : ours <= sum * (1 + 1e-4), "\(side) \(epsilon)")
                #expect(abs(ours - sum) < 0.01, "\(side) \(epsilon)")
            }
        }
    }

    /// Sums of Gaussian losses are Gaussian losses: closed form at any number of steps, down to δ = 10⁻²⁰⁰.
    @Test(arguments: [2, 7, 64, 1000])
    func gaussianSumsAreBracketed(count: Int) {
        let mu = 1 / Double(count).squareRoot()
        for delta in [1e-3, 1e-9, 1e-60, 1e-200] {
            let exact = GaussianDifferentialPrivacy.epsilon(delta: delta, mu: 1)
            let model = LossModel(components: [.init(parts: [(1, GaussianPair(mu: mu))], count: count)])
            let upper = CellQuery(model, side: .upper).epsilon(delta: delta)
            let lower = CellQuery(model, side: .lower).epsilon(delta: delta)
            #expect(upper >= exact * (1 - 1e-9) && lower <= exact * (1 + 1e-9), "\(lower) \(exact) \(upper)")
            #expect(upper - lower < 0.01 * exact, "\(count) \(delta): \(lower) \(exact) \(upper)")
            // δ at that ε, likewise.
            let most = CellQuery(model, side: .upper).delta(epsilon: exact)
            let least = CellQuery(model, side: .lower).delta(epsilon: exact)
            #expect(least <= delta * (1 + 1e-9) && most >= delta * (1 - 1e-9))
            if delta >= 1e-9 { #expect(most < 1.2 * delta && least > 0.8 * delta, "\(count): \(least) \(most)") }
        }
    }

    /// Coarse cells, of which one holds all of a loss, are far from the truth, and on their sides.
    @Test(arguments: [0.05, 0.5, 2]) func coarseCellsStayOnTheirSides(fineness: Double) {
        let shape = CellShape(fineness: fineness, widest: .infinity, reach: 0)
        let (mu, count) = (0.2, 25)
        for delta in [1e-3, 1e-12] {
            let exact = GaussianDifferentialPrivacy.epsilon(delta: delta, mu: 1)
            func end(_ side: LossModel.Side) -> Double {
                CellLoss(GaussianPair(mu: mu), side: side, tail: 1e-20, shape: shape)
                    .times(count, side: side, tail: 1e-20).epsilon(delta: delta, side: side)
            }
            #expect(end(.upper) >= exact && end(.lower) <= exact)
        }
    }

    /// Binary powers are the product: 13 = 1 + 4 + 8.
    @Test func timesIsRepeatedAddition() {
        let pair = SubsampledPair(GaussianPair(mu: 1), probability: 0.1)
        let one = Self.one(pair, .upper)
        var sum = one
        for _ in 1..<13 { sum = sum.adding(one, side: .upper, tail: 1e-14) }
        let power = one.times(13, side: .upper, tail: 1e-14)
        for epsilon in [0.1, 1, 3] {
            let (a, b) = (sum.delta(epsilon: epsilon, side: .upper), power.delta(epsilon: epsilon, side: .upper))
            #expect(abs(a / b - 1) < 0.1, "\(a) \(b)")
        }
    }
}
