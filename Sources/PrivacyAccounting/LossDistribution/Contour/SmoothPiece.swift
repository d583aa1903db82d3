import Foundation

/// One stretch of outcomes x of a pair (P, Q) on which the loss L is a smooth monotone function of x.
///
/// The pieces of a pair, with outcomes of loss 0 beside them, are all that there is of it, up to outcomes whose
/// probability under P is below 10⁻³⁴⁰.
struct SmoothPiece: Sendable {
    /// The x of the piece.
    let range: ClosedRange<Double>
    /// The x at which L = 0.
    let zero: Double
    /// How fast L can grow with x: what is analytic, is so within a distance of π/steepness of the real axis.
    let steepness: Double
    /// What happens at x.
    let outcome: @Sendable (Double) -> SmoothOutcome
    /// A bound on |(log Q + a·L − log |L'|)''| between two points, by a and the larger |L'| of both.
    let curvature: @Sendable (_ order: Double, _ slope: Double) -> Double

    /// How far from a mean a unit Gaussian's probability is above 10⁻³⁴⁰.
    static let reach = 40.0
    /// Beyond this a Gaussian's mean is so far away, in units of its deviation, that nothing is private, and the way
    /// between the means is all empty.
    static let largestMean = 25.0

    /// The same with its probabilities times `weight`.
    func weighted(by weight: Double) -> SmoothPiece {
        let (outcome, logWeight) = (outcome, log(weight))
        return SmoothPiece(
            range: range, zero: zero, steepness: steepness,
            outcome: { x in
                var result = outcome(x)
                result.logDensity += logWeight
                return result
            }, curvature: curvature)
    }

    /// As (Q, P) sees it: Q is P, and L is −L. log P + a·(−L) is log Q + (1 − a)·L.
    var reversed: SmoothPiece {
        let (outcome, curvature) = (outcome, curvature)
        return SmoothPiece(
            range: range, zero: zero, steepness: steepness,
            outcome: { x in
                let base = outcome(x)
                return SmoothOutcome(loss: -base.loss, logDensity: base.logDensity + base.loss, slope: -base.slope)
            }, curvature: { curvature(1 - $0, $1) })
    }

    /// The x at which L is at most `limit`; nil where there are none.
    func upTo(loss limit: Double) -> SmoothPiece? {
        func isInside(_ x: Double) -> Bool { outcome(x).loss <= limit }
        var (inside, outside) = (range.lowerBound, range.upperBound)
        switch (isInside(inside), isInside(outside)) {
        case (true, true): return self
        case (false, false): return nil
        case (true, false): break
        case (false, true): swap(&inside, &outside)
        }
        for _ in 0..<80 {
            let middle = 0.5 * (inside + outside)
            if isInside(middle) { inside = middle } else { outside = middle }
        }
        return SmoothPiece(
            range: inside < outside ? range.lowerBound...inside : inside...range.upperBound, zero: zero,
            steepness: steepness, outcome: outcome, curvature: curvature)
    }

    /// The x at which L > 0, for L that grows with x.
    var aboveZero: SmoothPiece {
        SmoothPiece(
            range: zero...range.upperBound, zero: zero, steepness: steepness, outcome: outcome, curvature: curvature)
    }
}

/// L, log of the density of Q, and L', at one x.
struct SmoothOutcome {
    var (loss, logDensity, slope): (Double, Double, Double)
}
