import Foundation

/// P = N(μ, 1), Q = N(0, 1), μ = sensitivity over noise: the Gaussian mechanism. L = μ(x − μ/2).
struct GaussianPair: PrivacyLossPair {
    let mu: Double

    func tails(at loss: Double) -> LossTails {
        let x = loss / mu + mu / 2
        let (zero, one) = (Normal.tails(x), Normal.tails(x - mu))
        return LossTails(pBelow: one.below, pAbove: one.above, qBelow: zero.below, qAbove: zero.above)
    }

    func guideNodes() -> [GuideNode] {
        GuideNode.gaussian(means: [0, mu]) { x in
            GuideNode(loss: mu * (x - mu / 2), p: Normal.density(x - mu), q: Normal.density(x))
        }
    }

    var smoothPieces: [SmoothPiece]? { sampledPieces(probability: 1) }

    /// The pieces of the same mechanism on a Poisson batch of rate q: L = log(1 + q(e^y − 1)), y = μ(x − μ/2), with
    /// slope μ·s(x), where s = q·e^{y − L} is a logistic function of x, and |(a·L − log s)''| ≤ (|a| + 1)·μ²s(1 − s).
    func sampledPieces(probability q: Double) -> [SmoothPiece]? {
        let mu = mu
        guard mu <= SmoothPiece.largestMean else { return nil }
        let logRate = log(q)
        return [
            SmoothPiece(
                range: -SmoothPiece.reach...mu + SmoothPiece.reach, zero: mu / 2, steepness: mu,
                outcome: { x in
                    let exponent = mu * (x - mu / 2)
                    let loss = Self.sampledLoss(exponent, probability: q)
                    return SmoothOutcome(
                        loss: loss, logDensity: Normal.logDensity(x), slope: mu * exp(logRate + exponent - loss))
                },
                curvature: { 1 + (abs($0) + 1) * mu * min($1, 0.25 * mu) })
        ]
    }

    /// log(1 + q(e^y − 1)).
    static func sampledLoss(_ exponent: Double, probability q: Double) -> Double {
        if q == 1 { return exponent }
        if exponent > 700 { return log(q) + exponent }
        let excess = q * expm1(exponent)
        // Near −1 the sum of two positive numbers keeps what 1 + excess would cancel.
        return excess > -0.5 ? log1p(excess) : log((1 - q) + q * exp(exponent))
    }
}
