import Foundation

extension TiltedComposition {
    /// The answer of one window: an ε, how fast −log δ grows there, and whether ε lies inside the window at all.
    struct Crossing {
        let epsilon: Double
        let slope: Double
        let isInside: Bool
    }

    /// The least ε ≥ 0 that this window proves to have δ(ε) ≤ `delta`, for pessimistic losses.
    func upperEpsilon(delta: Double) -> Crossing {
        let target = (delta - infinityMass) / (1 + relativeError) * exp(-logScale)
        guard target > 0 else { return Crossing(epsilon: .infinity, slope: 0, isInside: true) }
        return crossing(target, isPessimistic: true) { error(decay: $0, misplaced: massAbove) }
    }

    /// The largest ε that this window proves to have δ(ε) ≥ `delta`, for optimistic losses; before the shift.
    func lowerEpsilon(delta: Double) -> Crossing {
        let target = delta / (1 - min(0.5, relativeError)) * exp(-logScale)
        return crossing(target, isPessimistic: false) { -error(decay: $0, misplaced: massAbove + massBelow) }
    }

    /// δ(ε) at most, for pessimistic losses.
    func upperDelta(epsilon: Double) -> Double {
        let (finite, decay) = untilted(epsilon)
        let bound = finite + error(decay: decay, misplaced: massAbove)
        let delta = exp(log(bound) + logScale) * (1 + relativeError) + infinityMass
        // Overflow in a window far from ε leaves nothing proven.
        return delta < 1 ? delta : 1
    }

    /// δ(ε) at least, for optimistic losses.
    func lowerDelta(epsilon: Double) -> Double {
        let (finite, decay) = untilted(epsilon)
        let bound = finite - error(decay: decay, misplaced: massAbove + massBelow)
        guard bound > 0, bound < .infinity else { return 0 }
        return exp(log(bound) + logScale) * (1 - min(0.5, relativeError))
    }

    /// Walks down from the top until Σ + error exceeds `target` at a grid point x, then solves inside that cell, where
    /// Σ(ε) = A − B·e^{ε − x} is exact; the error is frozen at the cell's lower end, where it is largest.
    private func crossing(
        _ target: Double, isPessimistic: Bool, error: (_ decay: Double) -> Double
    ) -> Crossing {
        var (a, b) = (0.0, 0.0)
        let shrink = exp(-interval)
        for slot in stride(from: masses.count - 1, through: 0, by: -1) {
            let x = Double(first + slot) * interval
            let decay = exp(-tilt * (x - reference))
            b *= shrink
            let excess = a - b + error(decay) - target
            // An overflow proves nothing: the upper end must stop there, the lower end must not.
            if isPessimistic ? !(excess <= 0) : excess > 0 {
                let rise = b > 0 && excess.isFinite ? log1p(excess / b) : interval
                return Crossing(epsilon: max(0, x + min(interval, rise)), slope: b / target, isInside: true)
            }
            if x <= 0 { return Crossing(epsilon: 0, slope: b / target, isInside: true) }
            let weight = masses[slot] * decay
            a += weight
            b += weight
        }
        return Crossing(epsilon: max(0, Double(first) * interval), slope: 0, isInside: false)
    }

    /// Σ_{x > ε} P̃(x)·e^{−θ(x − r)}·(1 − e^{ε − x}) and e^{−θ(ε − r)}.
    private func untilted(_ epsilon: Double) -> (finite: Double, decay: Double) {
        var sum = 0.0
        for slot in stride(from: masses.count - 1, through: 0, by: -1) {
            let x = Double(first + slot) * interval
            guard x > epsilon else { break }
            sum += masses[slot] * exp(-tilt * (x - reference)) * -expm1(epsilon - x)
        }
        return (sum, exp(-tilt * (epsilon - reference)))
    }
}

/// How far ε must move to make up for the rounding of optimistic losses, by Bernstein's inequality: with probability
/// 1 − η under P, Σ(L − L_grid) ≥ −shift.
struct RoundingShift {
    let epsilon: Double
    let failureProbability: Double

    init(_ parts: [TiltedComposition.Part], failureProbability eta: Double) {
        let level = -log(eta)
        let count = { (part: TiltedComposition.Part) in Double(part.count) }
        let mean = parts.reduce(0) { $0 + count($1) * $1.loss.slack.mean }
        let variance = parts.reduce(0) { $0 + count($1) * $1.loss.slack.variance }
        let bound = 2 * (parts.map(\.loss.slack.bound).max() ?? 0)
        let linear = bound * level / 3
        let likely = linear + (linear * linear + 2 * variance * level).squareRoot() - mean * (1 - 1e-9)
        // For a few steps the sum of the bounds themselves, which cannot fail, is less.
        let certain = parts.reduce(0) { $0 + count($1) * $1.loss.slack.bound }
        epsilon = max(0, min(likely, certain))
        failureProbability = eta
    }
}
