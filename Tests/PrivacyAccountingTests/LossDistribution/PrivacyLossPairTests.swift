import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct PrivacyLossPairTests {
    static let pairs: [any PrivacyLossPair] = [
        SubsampledPair(GaussianPair(mu: 1), probability: 0.1), GaussianPair(mu: 2),
        ReversedPair(base: SubsampledPair(GaussianPair(mu: 1), probability: 0.1)),
        ReplacedGaussianPair(probability: 0.2, mu: 1), LaplacePair(scale: 1),
        ReversedPair(base: SubsampledPair(LaplacePair(scale: 0.5), probability: 0.3)),
        SymmetrizedPair(SubsampledPair(GaussianPair(mu: 1.5), probability: 0.2)),
        MixedPair(parts: [(0.3, GaussianPair(mu: 1)), (0.7, LaplacePair(scale: 2))]),
        SubsampledPair(
            MixedPair(parts: [(0.6, GaussianPair(mu: 1)), (0.4, GaussianPair(mu: 2))]), probability: 0.05),
    ]

    /// δ(ε) = P(L > ε) − e^ε·Q(L > ε).
    static func delta(_ pair: any PrivacyLossPair, _ epsilon: Double) -> Double {
        let tails = pair.tails(at: epsilon)
        return tails.pAbove - exp(epsilon) * tails.qAbove
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

    /// The x of a piece at which the loss exceeds `loss`: an interval that may be empty.
    private static func above(_ loss: Double, of piece: SmoothPiece) -> (low: Double, high: Double) {
        let (low, high) = (piece.range.lowerBound, piece.range.upperBound)
        guard let below = piece.upTo(loss: loss)?.range else { return (low, high) }
        return below.lowerBound == low ? (below.upperBound, high) : (low, below.lowerBound)
    }

    /// The pieces of a smooth pair are the pair: what they have above a loss is its tail, under P and under Q. 40
    /// panels of 16 points leave nothing of the integrals; a tail that is near 1 is rounded there.
    @Test func piecesAreThePair() {
        for pair in Self.pairs {
            guard let pieces = pair.smoothPieces else { continue }
            for epsilon in [0.05, 0.4, 1] {
                var (p, q) = (0.0, 0.0)
                for piece in pieces {
                    let (begin, end) = Self.above(epsilon, of: piece)
                    let panels = 160
                    for k in 0..<panels {
                        let half = 0.5 * (end - begin) / Double(panels)
                        let middle = begin + (2 * Double(k) + 1) * half
                        for (place, weight) in GaussLegendre.points {
                            let o = piece.outcome(middle + half * place)
                            q += half * weight * exp(o.logDensity)
                            p += half * weight * exp(o.logDensity + o.loss)
                        }
                    }
                }
                let tails = pair.tails(at: epsilon)
                #expect(abs(p - tails.pAbove) < 1e-12 && abs(q - tails.qAbove) < 1e-12, "\(pair) \(epsilon)")
            }
        }
    }

    /// Sampling at a rate, in closed form: δ′(log(1 + q(e^ε − 1))) = q·δ(ε) for removing. For adding, by duality, with
    /// x = 1 − (1 − e^{−ε′})/q: δ′(ε′) = 1 − e^{ε′} + e^{ε′}(1 − q)·0 + …, which is the reverse's at every ε.
    @Test func subsamplingIsAmplification() {
        for base in [GaussianPair(mu: 1) as any PrivacyLossPair, LaplacePair(scale: 0.7)] {
            for q in [0.01, 0.3, 1] {
                let pair = SubsampledPair(base, probability: q)
                for epsilon in [0.0, 0.1, 1, 1.2] {
                    let sampled = Self.delta(pair, log1p(q * expm1(epsilon)))
                    #expect(abs(sampled - q * Self.delta(base, epsilon)) < 1e-14)
                    // δ of the reverse: 1 − e^ε + e^ε·δ(−ε).
                    let reverse = Self.delta(ReversedPair(base: pair), epsilon)
                    #expect(abs(reverse + expm1(epsilon) - exp(epsilon) * Self.delta(pair, -epsilon)) < 1e-13)
                }
            }
        }
    }

    /// The symmetric pair has the δ of its base for ε ≥ 0, and is its own reverse; it dominates both directions of the
    /// base. The base alone does not dominate its reverse: δ of adding is larger somewhere.
    @Test func symmetrizedDominatesBothDirections() {
        let base = SubsampledPair(GaussianPair(mu: 1.5), probability: 0.2)
        let pair = SymmetrizedPair(base)
        for step in -30...30 {
            let epsilon = 0.1 * Double(step)
            let ours = Self.delta(pair, epsilon)
            #expect(abs(ours - Self.delta(ReversedPair(base: pair), epsilon)) < 1e-13)
            #expect(ours >= Self.delta(base, epsilon) - 1e-14)
            #expect(ours >= Self.delta(ReversedPair(base: base), epsilon) - 1e-14)
            if epsilon >= 0 { #expect(abs(ours - Self.delta(base, epsilon)) < 1e-14) }
        }
        // The twin: the base in the place of the symmetric pair.
        #expect(
            (-30...30).contains {
                Self.delta(ReversedPair(base: base), 0.1 * Double($0))
                    > Self.delta(base, 0.1 * Double($0)) + 1e-3
            })
    }
}
