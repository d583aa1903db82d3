import Foundation

/// A dominating pair (P, Q) through its privacy loss L = log dP/dQ, which is all that composition needs.
protocol PrivacyLossPair: Sendable {
    /// P and Q of {L ≤ loss} and of {L > loss}. The smaller of two complementary tails has full relative accuracy.
    /// An atom exactly at `loss` may be counted on either side, as long as P and Q agree.
    func tails(at loss: Double) -> LossTails

    /// A coarse quadrature of the loss under both measures, to choose tilts and windows by. Never used for an answer.
    func guideNodes() -> [GuideNode]
}

struct LossTails {
    var (pBelow, pAbove, qBelow, qAbove): (Double, Double, Double, Double)
}

struct GuideNode {
    var (loss, p, q): (Double, Double, Double)
}

/// (Q, P): what the other direction of the neighbouring relation sees. Its loss is the negative one.
struct ReversedPair<Base: PrivacyLossPair>: PrivacyLossPair {
    var base: Base

    func tails(at loss: Double) -> LossTails {
        let t = base.tails(at: -loss)
        return LossTails(pBelow: t.qAbove, pAbove: t.qBelow, qBelow: t.pAbove, qAbove: t.pBelow)
    }

    func guideNodes() -> [GuideNode] { base.guideNodes().map { GuideNode(loss: -$0.loss, p: $0.q, q: $0.p) } }
}

/// P = (1 − q)·N(0, 1) + q·N(μ, 1), Q = N(0, 1), μ = sensitivity over noise: removing one record from a Poisson
/// batch. Dominates for every query of that sensitivity (arXiv 1908.10530, theorem 4; arXiv 2106.08567).
struct SampledGaussianPair: PrivacyLossPair {
    let probability: Double
    let mu: Double

    func tails(at loss: Double) -> LossTails {
        let q = probability
        let ratio = q == 1 ? 1 : (expm1(loss) + q) / q
        guard ratio > 0 else { return LossTails(pBelow: 0, pAbove: 1, qBelow: 0, qAbove: 1) }
        let x = (q == 1 ? loss : log(ratio)) / mu + mu / 2
        let (zero, one) = (Normal.tails(x), Normal.tails(x - mu))
        return LossTails(
            pBelow: (1 - q) * zero.below + q * one.below, pAbove: (1 - q) * zero.above + q * one.above,
            qBelow: zero.below, qAbove: zero.above)
    }

    func guideNodes() -> [GuideNode] {
        GuideNode.gaussian(means: [0, mu]) { x in
            let exponent = mu * (x - mu / 2)
            let (zero, one) = (Normal.density(x), Normal.density(x - mu))
            let loss =
                if probability == 1 {
                    exponent
                } else if exponent > 700 {
                    log(probability) + exponent
                } else {
                    log1p(probability * expm1(exponent))
                }
            return GuideNode(loss: loss, p: (1 - probability) * zero + probability * one, q: zero)
        }
    }
}

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

    func guideNodes() -> [GuideNode] {
        let q = probability
        func logMixture(_ exponent: Double) -> Double {
            if q == 1 { return exponent }
            return exponent > 700 ? log(q) + exponent : log1p(q * expm1(exponent))
        }
        return GuideNode.gaussian(means: [-mu, 0, mu]) { x in
            let loss = logMixture(mu * (x - mu / 2)) - logMixture(mu * (-x - mu / 2))
            let zero = (1 - q) * Normal.density(x)
            return GuideNode(
                loss: loss, p: zero + q * Normal.density(x - mu), q: zero + q * Normal.density(x + mu))
        }
    }
}

/// P = (1 − q)·Lap(0, b) + q·Lap(1, b), Q = Lap(0, b), for a real-valued query: the loss of the unsampled pair has
/// atoms at ±1/b.
struct SampledLaplacePair: PrivacyLossPair {
    let probability: Double
    let scale: Double

    func tails(at loss: Double) -> LossTails {
        let q = probability
        let ratio = q == 1 ? exp(loss) : (expm1(loss) + q) / q
        let bound = 1 / scale
        let inner = q == 1 ? loss : (ratio > 0 ? log(ratio) : -.infinity)
        // Unsampled: L = clamp((2x − 1)/b) for x in [0, 1]; {L > ℓ} is {x > (1 + bℓ)/2}.
        if inner < -bound { return LossTails(pBelow: 0, pAbove: 1, qBelow: 0, qAbove: 1) }
        if inner >= bound { return LossTails(pBelow: 1, pAbove: 0, qBelow: 1, qAbove: 0) }
        let x = (1 + scale * inner) / 2
        let zeroAbove = 0.5 * exp(-x / scale)
        let oneBelow = 0.5 * exp((x - 1) / scale)
        return LossTails(
            pBelow: (1 - q) * (1 - zeroAbove) + q * oneBelow, pAbove: (1 - q) * zeroAbove + q * (1 - oneBelow),
            qBelow: 1 - zeroAbove, qAbove: zeroAbove)
    }

    func guideNodes() -> [GuideNode] {
        let q = probability
        func sampled(_ loss: Double) -> Double { q == 1 ? loss : log1p(q * expm1(min(loss, 700))) }
        let (bound, steps) = (1 / scale, 200)
        var nodes = [-bound, bound].map { loss in
            let (likely, rare) = (0.5, 0.5 * exp(-bound))
            let (p, q0) = loss > 0 ? (likely, rare) : (rare, likely)
            return GuideNode(loss: sampled(loss), p: (1 - q) * q0 + q * p, q: q0)
        }
        for step in 0..<steps {
            let x = (Double(step) + 0.5) / Double(steps)
            let zero = 0.5 / scale * exp(-x / scale) / Double(steps)
            let one = 0.5 / scale * exp((x - 1) / scale) / Double(steps)
            nodes.append(GuideNode(loss: sampled((2 * x - 1) / scale), p: (1 - q) * zero + q * one, q: zero))
        }
        return nodes
    }
}

extension GuideNode {
    /// Trapezoidal nodes that cover unit Gaussians at `means` as far as a Float64 density reaches: tilting moves the
    /// weight far into the tail.
    static func gaussian(means: [Double], _ node: (Double) -> GuideNode) -> [GuideNode] {
        let step = 0.2
        let intervals = means.map { ($0 - 38, $0 + 38) }
        var nodes: [GuideNode] = []
        var covered = -Double.infinity
        for (low, high) in intervals {
            var x = max(low, covered)
            while x <= high {
                var value = node(x)
                value.p *= step
                value.q *= step
                nodes.append(value)
                x += step
            }
            covered = x
        }
        return nodes
    }
}
