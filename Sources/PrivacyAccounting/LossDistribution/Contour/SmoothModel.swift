import Foundation

/// One direction of a composition whose losses are smooth, without its largest losses: what a ``ContourIntegral`` is
/// taken of.
///
/// Of each step, outcomes of a loss above a limit, which together have next to no probability under P, are left out.
/// With them E_P[e^{sL}] would be huge long before the tilt that δ(ε) asks for. Leaving them out lowers δ(ε); taking
/// them to have an infinite loss, which ``infinityMass`` does, raises it.
struct SmoothModel {
    /// One mechanism, run `count` times.
    struct Component {
        /// What there is of it, with the weights of its parts, up to the limit.
        let pieces: [SmoothPiece]
        /// By how much the weights sum to more than 1, less Q above the limit.
        let excessWeight: Double
        /// P − Q above the limit.
        let excessAbove: Double
        let count: Double
    }

    private(set) var components: [Component] = []
    /// Σ count·μ² of plain Gaussian mechanisms, for which K(s) = μ²s(s + 1)/2.
    private(set) var gaussianVariance = 0.0
    /// P-probability that any of the losses is infinite, or was left out, at most.
    private(set) var infinityMass = 0.0

    /// Nil unless all parts are smooth. `tail` is how much of P may be left out in a step.
    init?(_ model: LossModel, tail: Double) {
        for component in model.components {
            let count = Double(component.count)
            let parts = component.parts.filter { $0.weight > 0 }
            if parts.count == 1, parts[0].weight == 1, let gaussian = parts[0].pair as? GaussianPair {
                gaussianVariance += count * gaussian.mu * gaussian.mu
                infinityMass += count * component.infinityMass
                continue
            }
            var pieces: [SmoothPiece] = []
            var (below, above, lost) = (0.0, 0.0, component.infinityMass)
            for (weight, pair) in parts {
                guard let own = pair.smoothPieces else { return nil }
                let limit = pair.largestLoss(tail: tail)
                pieces += own.compactMap { $0.upTo(loss: limit)?.weighted(by: weight) }
                guard limit.isFinite else { continue }
                let tails = pair.tails(at: limit)
                below -= weight * tails.qAbove
                above += weight * (tails.pAbove - tails.qAbove)
                lost += weight * tails.pAbove
            }
            let weights = parts.reduce(component.infinityMass) { $0 + $1.weight }
            infinityMass += count * lost * (1 + 1e-9)
            components.append(
                Component(pieces: pieces, excessWeight: weights - 1 + below, excessAbove: above, count: count))
        }
        guard !components.isEmpty else { return nil }
    }
}

extension PrivacyLossPair {
    /// A loss ≥ 0 above which P has at most `tail`, nearly the least one; ∞ where P has more than that at ∞.
    fileprivate func largestLoss(tail: Double) -> Double {
        func isAbove(_ loss: Double) -> Bool { tails(at: loss).pAbove <= tail }
        if isAbove(0) { return 0 }
        var (low, high) = (0.0, 1.0)
        while !isAbove(high) {
            guard high < 1e300 else { return .infinity }
            (low, high) = (high, high * 4)
        }
        for _ in 0..<1000 where high - low > 1e-3 * high {
            let middle = 0.5 * (low + high)
            if isAbove(middle) { high = middle } else { low = middle }
        }
        return high
    }
}
