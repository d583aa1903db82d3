import Foundation

/// P = (1 − q)·Q₀ + q·P₀, Q = Q₀: a mechanism with the pair (P₀, Q₀) for removing one record, on a batch that holds
/// each record independently with probability q. l = log(1 + q(e^{l₀} − 1)).
///
/// **Guarantee:** dominates whatever the mechanism does to the batch, for removing one record, if (P₀, Q₀) dominates
/// the mechanism; its reverse, for adding one (arXiv 2106.08567, theorem 11; for Gaussians arXiv 1908.10530).
struct SubsampledPair: PrivacyLossPair {
    let base: any PrivacyLossPair
    /// q in (0, 1].
    let probability: Double

    init(_ base: any PrivacyLossPair, probability: Double) {
        self.base = base
        self.probability = probability
    }

    func tails(at loss: Double) -> LossTails {
        let q = probability
        if q == 1 { return base.tails(at: loss) }
        let t: LossTails
        let excess = expm1(loss) / q
        if excess > -0.5 {
            t = base.tails(at: excess == .infinity ? loss - log(q) : log1p(excess))
        } else {
            // 1 + excess, without what 1 would cancel of it.
            let ratio = (exp(loss) - (1 - q)) / q
            guard ratio > 0 else { return LossTails(pBelow: 0, pAbove: 1, qBelow: 0, qAbove: 1) }
            t = base.tails(at: log(ratio))
        }
        return LossTails(
            pBelow: (1 - q) * t.qBelow + q * t.pBelow, pAbove: (1 - q) * t.qAbove + q * t.pAbove,
            qBelow: t.qBelow, qAbove: t.qAbove)
    }

    func guideNodes() -> [GuideNode] {
        let q = probability
        return base.guideNodes().map {
            GuideNode(
                loss: GaussianPair.sampledLoss($0.loss, probability: q), p: (1 - q) * $0.q + q * $0.p, q: $0.q)
        }
    }

    var smoothPieces: [SmoothPiece]? { base.sampledPieces(probability: probability) }
}
