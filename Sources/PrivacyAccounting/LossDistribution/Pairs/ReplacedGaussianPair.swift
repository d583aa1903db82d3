import Foundation

/// P = (1 − q)·N(0, 1) + q·N(μ, 1), Q = (1 − q)·N(0, 1) + q·N(−μ, 1): replacing one record of a Poisson batch.
///
/// Two clipped contributions u, v give the same pair with means u and v. By advanced joint convexity that is a Gaussian
/// against a Gaussian mixture at distances ‖u‖ and ‖u − v‖, which grows with both (arXiv 2310.15526, section 4), so
/// opposite directions are the worst case. Mirror-symmetric: both directions have one loss distribution.
struct ReplacedGaussianPair: PrivacyLossPair {
    let probability: Double
    let mu: Double

    func tails(at loss: Double) -> LossTails {
        let x = loss < 0 ? -point(-loss) : point(loss)
        let q = probability
        let (left, zero, right) = (Normal.tails(x + mu), Normal.tails(x), Normal.tails(x - mu))
        return LossTails(
            pBelow: (1 - q) * zero.below + q * right.below, pAbove: (1 - q) * zero.above + q * right.above,
            qBelow: (1 - q) * zero.below + q * left.below, qAbove: (1 - q) * zero.above + q * left.above)
    }

    /// The x with L(x) = loss ≥ 0: the positive root of qA·w² − (1 − q)(e^ε − 1)·w − qA·e^ε in w = e^{μx}, A =
    /// e^{−μ²/2}.
    private func point(_ loss: Double) -> Double {
        let q = probability
        if q == 1 { return loss / (2 * mu) }
        // b/√(e^ε) with b = (1 − q)(e^ε − 1)/(2qA); w = √(e^ε)·e^{asinh of that}.
        let logHalf = log((1 - q) / q) + mu * mu / 2
        let logB = logHalf + (loss > 0 ? loss / 2 + log(-expm1(-loss)) - log(2) : -.infinity)
        let inverse = logB > 300 ? logB + log(2) : asinh(exp(logB))
        return (loss / 2 + inverse) / mu
    }

    /// L₊ − L₋ at x, with L± the losses of the sampled mechanism at x and at −x.
    private func losses(at x: Double) -> (plus: Double, minus: Double) {
        (
            GaussianPair.sampledLoss(mu * (x - mu / 2), probability: probability),
            GaussianPair.sampledLoss(mu * (-x - mu / 2), probability: probability)
        )
    }

    func guideNodes() -> [GuideNode] {
        let q = probability
        return GuideNode.gaussian(means: [-mu, 0, mu]) { x in
            let (plus, minus) = losses(at: x)
            let zero = (1 - q) * Normal.density(x)
            return GuideNode(
                loss: plus - minus, p: zero + q * Normal.density(x - mu), q: zero + q * Normal.density(x + mu))
        }
    }

    /// L = L₊ − L₋ and Q = φ·e^{L₋}, with slope μ(s₊ + s₋) of logistic functions s. |L±''| ≤ μ²s(1 − s), and the
    /// logarithm of a sum of two such functions has a second derivative of at most 2μ².
    var smoothPieces: [SmoothPiece]? {
        guard mu <= SmoothPiece.largestMean else { return nil }
        let (pair, mu, logRate) = (self, mu, log(probability))
        return [
            SmoothPiece(
                range: -mu - SmoothPiece.reach...mu + SmoothPiece.reach, zero: 0, steepness: mu,
                outcome: { x in
                    let (plus, minus) = pair.losses(at: x)
                    let slope =
                        exp(logRate + mu * (x - mu / 2) - plus) + exp(logRate + mu * (-x - mu / 2) - minus)
                    return SmoothOutcome(
                        loss: plus - minus, logDensity: Normal.logDensity(x) + minus, slope: mu * slope)
                },
                curvature: { 1 + (abs($0) + abs(1 - $0)) * mu * min($1, 0.25 * mu) + 2 * mu * mu })
        ]
    }
}
