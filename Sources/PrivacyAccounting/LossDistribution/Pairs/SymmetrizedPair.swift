import Foundation

/// The pair whose δ(ε) is that of (P, Q) for ε ≥ 0, and which is the same in both directions: its losses are those of
/// (P, Q) above 0, their mirror images, and 0.
///
/// **Guarantee:** dominates every mechanism whose δ(ε), for ε ≥ 0 and in both directions of a symmetric relation, is at
/// most that of (P, Q): for ε < 0 a direction's δ(ε) is 1 − e^ε + e^ε·δ(−ε) of the other (arXiv 2106.08567, section 4).
/// P(L > 0) + Q(L > 0) has to be at most 1, which is what the mass at 0 makes up to.
struct SymmetrizedPair: PrivacyLossPair {
    let base: any PrivacyLossPair

    init(_ base: any PrivacyLossPair) { self.base = base }

    func tails(at loss: Double) -> LossTails {
        let t = base.tails(at: abs(loss))
        return loss < 0
            // P of {L ≤ −l} is Q of {L ≥ l}.
            ? LossTails(pBelow: t.qAbove, pAbove: 1 - t.qAbove, qBelow: t.pAbove, qAbove: 1 - t.pAbove)
            : LossTails(pBelow: 1 - t.pAbove, pAbove: t.pAbove, qBelow: 1 - t.qAbove, qAbove: t.qAbove)
    }

    func guideNodes() -> [GuideNode] {
        let positive = base.guideNodes().filter { $0.loss > 0 }
        let rest = max(0, 1 - positive.reduce(0) { $0 + $1.p + $1.q })
        return positive + positive.map { GuideNode(loss: -$0.loss, p: $0.q, q: $0.p) }
            + [GuideNode(loss: 0, p: rest, q: rest)]
    }

    var smoothPieces: [SmoothPiece]? { base.smoothPieces?.flatMap { [$0.aboveZero, $0.aboveZero.reversed] } }
}
