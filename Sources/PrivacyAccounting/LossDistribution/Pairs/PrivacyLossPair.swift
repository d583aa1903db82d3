import Foundation

/// A dominating pair (P, Q) through its privacy loss L = log dP/dQ, which is all that composition needs.
protocol PrivacyLossPair: Sendable {
    /// P and Q of {L ≤ loss} and of {L > loss}. The smaller of two complementary tails has full relative accuracy.
    /// An atom exactly at `loss` may be counted on either side, as long as P and Q agree.
    func tails(at loss: Double) -> LossTails

    /// A coarse quadrature of the loss under both measures, to choose tilts and windows by. Never used for an answer.
    func guideNodes() -> [GuideNode]

    /// The loss as smooth functions, for composition by a ``ContourIntegral``; nil, the default, where it is none.
    var smoothPieces: [SmoothPiece]? { get }

    /// The same of ``SubsampledPair`` with this pair as its base.
    func sampledPieces(probability: Double) -> [SmoothPiece]?
}

extension PrivacyLossPair {
    var smoothPieces: [SmoothPiece]? { nil }
    func sampledPieces(probability: Double) -> [SmoothPiece]? { nil }
}

struct LossTails {
    var (pBelow, pAbove, qBelow, qAbove): (Double, Double, Double, Double)
}

struct GuideNode {
    var (loss, p, q): (Double, Double, Double)
}

/// (Q, P): what the other direction of the neighbouring relation sees. Its loss is the negative one.
struct ReversedPair: PrivacyLossPair {
    let base: any PrivacyLossPair

    func tails(at loss: Double) -> LossTails {
        let t = base.tails(at: -loss)
        return LossTails(pBelow: t.qAbove, pAbove: t.qBelow, qBelow: t.pAbove, qAbove: t.pBelow)
    }

    func guideNodes() -> [GuideNode] { base.guideNodes().map { GuideNode(loss: -$0.loss, p: $0.q, q: $0.p) } }

    var smoothPieces: [SmoothPiece]? { base.smoothPieces?.map(\.reversed) }
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
