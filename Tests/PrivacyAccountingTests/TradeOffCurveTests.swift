import Foundation
import Testing
import _TestSupport

@testable import PrivacyAccounting

@Suite struct TradeOffCurveTests {
    /// A mechanism whose trade-off curve and whose δ(ε) are known in closed form.
    private struct Known: Sendable {
        let name: String
        let typeTwoError: @Sendable (Double) throws -> Double
        let delta: @Sendable (Double) throws -> Double
        /// The largest ε worth asking about.
        let lastEpsilon: Double

        static func gaussian(mu: Double) throws -> Known {
            let law = try GaussianDifferentialPrivacy(mu: mu)
            return Known(
                name: "Gaussian, μ = \(mu)", typeTwoError: { try law.typeTwoError(typeOneError: $0) },
                delta: { try law.delta(epsilon: $0) }, lastEpsilon: mu * (mu / 2 + 7))
        }

        /// Laplace noise of scale 1/t: δ(ε) = 1 − e^{(ε − t)/2}, and β = 1 − e^t α, e^{−t}/(4α), e^{−t}(1 − α) in turn.
        static func laplace(_ t: Double) -> Known {
            Known(
                name: "Laplace, ε = \(t)",
                typeTwoError: { alpha in
                    if alpha < exp(-t) / 2 { return 1 - exp(t) * alpha }
                    return alpha <= 0.5 ? exp(-t) / (4 * alpha) : exp(-t) * (1 - alpha)
                }, delta: { max(0, 1 - exp(($0 - t) / 2)) }, lastEpsilon: t)
        }

        func pairs(_ epsilons: [Double]) throws -> [TradeOffCurve.Pair] {
            try epsilons.map { try TradeOffCurve.Pair(epsilon: $0, delta: min(1, delta($0))) }
        }
    }

    private static func subjects() throws -> [Known] {
        try [0.01, 0.3, 1, 3, 8].map { try Known.gaussian(mu: $0) } + [0.05, 1, 5].map { Known.laplace($0) }
    }

    /// Whether a curve that is made of pairs lies below the truth everywhere, for random pairs of every subject.
    ///
    /// The truth's own closed forms are off by 10⁻¹³ at most.
    private static func isBelowTheTruth(
        _ curve: ([TradeOffCurve.Pair], _ alpha: Double) throws -> Double
    ) throws -> Bool {
        var random = SeededGenerator(seed: 3)
        for subject in try subjects() {
            for count in [1, 2, 5, 40] {
                let epsilons = (0..<count).map { _ in Double.random(in: 0...subject.lastEpsilon, using: &random) }
                let pairs = try subject.pairs(epsilons)
                for _ in 0..<100 {
                    // As often near 0 as anywhere.
                    let share = Double.random(in: 0...1, using: &random)
                    let alpha = Bool.random(using: &random) ? share : pow(10, -12 * share)
                    if try curve(pairs, alpha) > subject.typeTwoError(alpha) + 1e-13 { return false }
                }
            }
        }
        return true
    }

    @Test func noTestIsBetterThanTheCurve() throws {
        #expect(try Self.isBelowTheTruth { try TradeOffCurve($0).typeTwoError(typeOneError: $1) })
        // Twins that must be found out: one forgets δ on the flat side, one draws chords between touching points.
        let forgetful = try Self.isBelowTheTruth { pairs, alpha in
            pairs.map { max(0, 1 - $0.delta - exp($0.epsilon) * alpha, exp(-$0.epsilon) * (1 - alpha)) }.max() ?? 0
        }
        #expect(!forgetful)
        let generous = try Self.isBelowTheTruth { pairs, alpha in
            let curve = TradeOffCurve(pairs)
            let (left, right) = ((alpha * 8).rounded(.down) / 8, (alpha * 8).rounded(.up) / 8)
            let (high, low) = try (curve.typeTwoError(typeOneError: left), curve.typeTwoError(typeOneError: right))
            return left == right ? high : high + (low - high) * (alpha - left) / (right - left)
        }
        #expect(!generous)
    }

    /// Lines that touch the curve at slopes −e^u and −e^{u + h} leave at most (e^h − 1)/4 between them and it: the gap
    /// is at most (s₁ − s₂)/4 times the width, and the curve falls by no more than 1 over that width, at slope s₂ or
    /// steeper.
    @Test func manyPairsComeCloseToTheTruth() throws {
        for subject in try Self.subjects() {
            let h = subject.lastEpsilon / 64
            let curve = TradeOffCurve(try subject.pairs((0...64).map { Double($0) * h }))
            for alpha in stride(from: 0.01, through: 0.99, by: 0.01) {
                let gap = try subject.typeTwoError(alpha) - curve.typeTwoError(typeOneError: alpha)
                #expect(gap <= (exp(h) - 1) / 4 + 1e-9, "\(subject.name), α = \(alpha)")
            }
        }
    }

    /// ε of one pair, δ = 0: the curve of randomised response, which is exactly what the pair says.
    @Test func onePairIsItsOwnCurve() throws {
        let curve = TradeOffCurve([try TradeOffCurve.Pair(epsilon: log(3), delta: 0)])
        for (alpha, beta) in [(0, 1), (0.125, 0.625), (0.25, 0.25), (0.5, 1.0 / 6), (1, 0)] {
            let found = try curve.typeTwoError(typeOneError: alpha)
            #expect(found <= beta && found >= beta - 1e-14)
        }
        #expect(curve.corners.count == 3)
        #expect(zip(curve.corners, [0, 0.25, 1]).allSatisfy { abs($0.typeOneError - $1) < 1e-15 })
    }

    @Test func extremesHaveTheirAnswers() throws {
        let perfect = TradeOffCurve([try TradeOffCurve.Pair(epsilon: 0, delta: 0)])
        #expect(try abs(perfect.typeTwoError(typeOneError: 0.3) - 0.7) < 1e-14)
        let none = TradeOffCurve([try TradeOffCurve.Pair(epsilon: 0, delta: 1)])
        #expect(none.pairs.isEmpty && none == TradeOffCurve([]))
        #expect(try none.typeTwoError(typeOneError: 0) == 0)
        #expect(none.corners.map(\.typeOneError) == [0, 1])
        // e^ε overflows: it bounds a type I error of 0 alone.
        let huge = TradeOffCurve([try TradeOffCurve.Pair(epsilon: 1000, delta: 1e-5)])
        #expect(try abs(huge.typeTwoError(typeOneError: 0) - (1 - 1e-5)) < 1e-14)
        #expect(try huge.typeTwoError(typeOneError: 1e-300) == 0)
        for (epsilon, delta) in [(-1, 0), (.nan, 0), (.infinity, 0), (1, -0.1), (1, 1.1), (1, .nan)] {
            #expect(throws: AccountingError.self) { try TradeOffCurve.Pair(epsilon: epsilon, delta: delta) }
        }
        for alpha in [-0.1, 1.1, .nan] {
            #expect(throws: AccountingError.self) { try perfect.typeTwoError(typeOneError: alpha) }
        }
    }

    /// The corners are those of the curve: between two of them it is straight, and they go down.
    @Test func theCornersAreTheWholeCurve() throws {
        var random = SeededGenerator(seed: 5)
        for subject in try Self.subjects() {
            let epsilons = (0..<20).map { _ in Double.random(in: 0...subject.lastEpsilon, using: &random) }
            let curve = TradeOffCurve(try subject.pairs(epsilons))
            let corners = curve.corners
            #expect(corners.first?.typeOneError == 0 && corners.last?.typeOneError == 1)
            for (left, right) in zip(corners, corners.dropFirst()) {
                #expect(left.typeOneError < right.typeOneError && left.typeTwoError >= right.typeTwoError)
                for share in [0.25, 0.5, 0.75] {
                    let alpha = left.typeOneError + share * (right.typeOneError - left.typeOneError)
                    let straight = left.typeTwoError + share * (right.typeTwoError - left.typeTwoError)
                    // A corner's place is off by rounding relative to 1 where lines are close to parallel.
                    #expect(try abs(curve.typeTwoError(typeOneError: alpha) - straight) < 1e-12)
                }
            }
        }
    }

    /// What an accountant says of a Gaussian is its closed form from below, and close to it.
    @Test func anAccountantsCurveIsBelowTheClosedForm() throws {
        for (z, relation) in [(1.0, NeighboringRelation.addOrRemoveOne), (4, .addOrRemoveOne), (1, .replaceOne)] {
            let law = try GaussianDifferentialPrivacy(mu: (relation == .replaceOne ? 2 : 1) / z)
            let accountant = PrivacyLossDistributionAccountant(relation: relation)
            let curve = try accountant.tradeOffCurve(of: .gaussian(noiseMultiplier: z))
            #expect(curve.pairs.count == 33)
            // As in manyPairsComeCloseToTheTruth.
            let h = (curve.pairs.map(\.epsilon).max() ?? 0) / 32
            for alpha in stride(from: 0.0, through: 1, by: 1.0 / 128) {
                let (truth, found) = try (
                    law.typeTwoError(typeOneError: alpha), curve.typeTwoError(typeOneError: alpha)
                )
                #expect(found <= truth + 1e-13 && found >= truth - (exp(h) - 1) / 4)
            }
        }
        let accountant = PrivacyLossDistributionAccountant()
        #expect(try accountant.tradeOffCurve(of: .nonPrivate).corners.allSatisfy { $0.typeTwoError == 0 })
        #expect(try accountant.tradeOffCurve(of: .noOp) == TradeOffCurve([.init(epsilon: 0, delta: 0)]))
        // A loss that is bounded: the last pair is its ε at δ = 0.
        let laplace = try accountant.tradeOffCurve(of: .laplace(noiseMultiplier: 1))
        #expect(laplace.pairs.contains { $0.delta == 0 && abs($0.epsilon - 1) < 1e-6 })
        #expect(throws: AccountingError.self) { try accountant.tradeOffCurve(of: .noOp, points: 0) }
    }
}
