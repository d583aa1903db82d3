import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct DiscreteLossTests {
    static func delta(_ loss: DiscreteLoss, _ h: Double, _ epsilon: Double) -> Double {
        loss.masses.enumerated().reduce(loss.infinityMass) { sum, entry in
            let x = Double(loss.first + entry.offset) * h
            return x > epsilon ? sum - entry.element * expm1(epsilon - x) : sum
        }
    }

    static let pairs: [any PrivacyLossPair] = [
        SubsampledPair(GaussianPair(mu: 1), probability: 0.1), GaussianPair(mu: 2),
        ReversedPair(base: SubsampledPair(GaussianPair(mu: 1), probability: 0.1)),
        ReplacedGaussianPair(probability: 0.2, mu: 1), LaplacePair(scale: 1),
        ReversedPair(base: SubsampledPair(LaplacePair(scale: 0.5), probability: 0.3)),
    ]

    /// δ(ε) = P(L > ε) − e^ε·Q(L > ε): the pessimistic grid is above it everywhere, and equal on grid points.
    @Test func pessimisticDominatesAndTouches() throws {
        let h = 0.05
        for pair in Self.pairs {
            let range = try GridRange(of: pair, interval: h, tail: 1e-14, limit: 1 << 20)
            let loss = DiscreteLoss.pessimistic(pair, range: range, interval: h)
            #expect(abs(loss.masses.reduce(loss.infinityMass, +) - 1) < 1e-12)
            for step in -40...80 {
                let epsilon = Double(step) * h / 4
                let tails = pair.tails(at: epsilon)
                let exact = tails.pAbove - exp(epsilon) * tails.qAbove
                let ours = Self.delta(loss, h, epsilon)
                #expect(ours >= exact - 1e-13, "\(pair) \(epsilon)")
                if step % 4 == 0 { #expect(ours <= exact + 1e-10, "\(pair) \(epsilon)") }
            }
            // Negative control: losses a quarter of a step lower do not dominate.
            let epsilon = 0.05
            let tails = pair.tails(at: epsilon)
            #expect(Self.delta(loss, h, epsilon + h / 4) < tails.pAbove - exp(epsilon) * tails.qAbove)
        }
    }

    @Test func optimisticIsBelowAfterItsShift() throws {
        let h = 0.05
        for pair in Self.pairs {
            let range = try GridRange(of: pair, interval: h, tail: 1e-14, limit: 1 << 20)
            let loss = DiscreteLoss.optimistic(pair, range: range, interval: h)
            #expect(loss.masses.reduce(0, +) <= 1 + 1e-12)
            for step in 0...60 {
                let epsilon = Double(step) * h / 3
                let tails = pair.tails(at: epsilon)
                let exact = tails.pAbove - exp(epsilon) * tails.qAbove
                // One step's loss is never below its grid point by more than the bound.
                #expect(Self.delta(loss, h, epsilon + loss.slack.bound) <= exact + 1e-13, "\(pair) \(epsilon)")
            }
        }
    }

    /// The tails of every pair are those of its loss, by the identity E_P[e^{−L}; L > ε] = Q(L > ε).
    @Test func tailsBelongToOneLoss() {
        for pair in Self.pairs {
            for epsilon in [-0.05, 0.02, 0.3] {
                let tails = pair.tails(at: epsilon)
                #expect(abs(tails.pAbove + tails.pBelow - 1) < 1e-12 && abs(tails.qAbove + tails.qBelow - 1) < 1e-12)
                #expect(tails.pAbove >= exp(epsilon) * tails.qAbove - 1e-15)
                #expect(tails.pBelow <= exp(epsilon) * tails.qBelow + 1e-15)
            }
        }
    }

    @Test func truncationMatchesDirectSums() {
        // n = 6, m = 2, q = 0.4, by enumeration of how many of the 5 others are drawn.
        let (n, m, q) = (6, 2, 0.4)
        func binomial(_ k: Int, _ n: Int) -> Double {
            exp(logBinomial(Double(n), Double(k))) * pow(q, Double(k)) * pow(1 - q, Double(n - k))
        }
        let overfull = (m...n - 1).reduce(0) { $0 + binomial($1, n - 1) }
        let kept = (m...n - 1).reduce(0) { $0 + binomial($1, n - 1) * q * Double(m) / Double($1 + 1) }
        let truncation = Truncation(datasetSize: n, probability: q, batch: m)
        #expect(abs(truncation.probability - overfull) < 1e-12)
        #expect(abs(truncation.conditionalParticipation - kept / overfull) < 1e-12)
        #expect(abs(truncation.participation - ((1 - overfull) * q + kept)) < 1e-8)
        #expect(truncation.participation < q)
    }
}
