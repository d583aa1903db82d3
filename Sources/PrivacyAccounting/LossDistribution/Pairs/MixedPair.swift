/// One of several mechanisms, drawn by its weight, and announced. The weights sum to 1, or to slightly more where that
/// is the safe side.
struct MixedPair: PrivacyLossPair {
    let parts: [(weight: Double, pair: any PrivacyLossPair)]

    func tails(at loss: Double) -> LossTails {
        var sum = LossTails(pBelow: 0, pAbove: 0, qBelow: 0, qAbove: 0)
        for (weight, pair) in parts {
            let t = pair.tails(at: loss)
            sum.pBelow += weight * t.pBelow
            sum.pAbove += weight * t.pAbove
            sum.qBelow += weight * t.qBelow
            sum.qAbove += weight * t.qAbove
        }
        return sum
    }

    func guideNodes() -> [GuideNode] {
        parts.flatMap { part in
            part.pair.guideNodes().map { GuideNode(loss: $0.loss, p: part.weight * $0.p, q: part.weight * $0.q) }
        }
    }

    var smoothPieces: [SmoothPiece]? { pieces { $0.smoothPieces } }

    func sampledPieces(probability: Double) -> [SmoothPiece]? {
        pieces { $0.sampledPieces(probability: probability) }
    }

    private func pieces(of part: (any PrivacyLossPair) -> [SmoothPiece]?) -> [SmoothPiece]? {
        var pieces: [SmoothPiece] = []
        for (weight, pair) in parts {
            guard let own = part(pair) else { return nil }
            pieces += own.map { $0.weighted(by: weight) }
        }
        return pieces
    }
}
