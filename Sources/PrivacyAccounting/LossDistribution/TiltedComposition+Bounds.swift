import Foundation

extension TiltedComposition {
    /// The answer of one window: a proven end of ε or δ, how fast −log δ grows there (0 when that is not known), and
    /// where a better one may lie.
    struct Finding {
        let value: Double
        let slope: Double
        let place: Place
    }

    /// Where the answer lies, as far as the window can tell.
    enum Place {
        /// Inside the window.
        case inside
        /// Below it: a lower tilt may prove more.
        case below
        /// Above it, or where the window's own error exceeds the target: a higher tilt may prove more.
        case above
    }

    /// An ε ≥ 0, as small as this window can prove, with δ(ε) ≤ `delta`, for pessimistic losses.
    ///
    /// **Guarantee:** δ(ε) ≤ `delta`, wherever the window lies. ∞ when nothing less is proven.
    func upperEpsilon(delta: Double) -> Finding {
        guard delta > infinityMass else { return Finding(value: .infinity, slope: 0, place: .inside) }
        let logTarget = log(delta - infinityMass) - log1p(relativeError) - logScale
        let target = exp(logTarget)
        let certain = tailEpsilon(logTarget: logTarget)
        let top = Double(first + masses.count) * interval
        // No mass lies above the window, so its error is all that δ(top) can be. Where already that exceeds the target,
        // the walk below could start from nothing proven.
        let error = error(decay: 1, misplaced: massAbove)
        guard error * exp(-tilt * (top - reference)) <= target else {
            return Finding(value: certain, slope: 0, place: .above)
        }
        let crossing = crossing(target, error: error, isPessimistic: true)
        return Finding(value: min(certain, crossing.value), slope: crossing.slope, place: crossing.place)
    }

    /// An ε ≥ 0, as large as this window can prove, with δ(ε) ≥ `delta`, for optimistic losses; before the shift.
    /// 0 when nothing more is proven.
    func lowerEpsilon(delta: Double) -> Finding {
        let target = exp(log(delta) + log1p(relativeError) - logScale)
        guard target > 0 else { return Finding(value: 0, slope: 0, place: .below) }
        let error = error(decay: 1, misplaced: massAbove + massBelow)
        return crossing(target, error: -error, isPessimistic: false)
    }

    /// δ(ε) at most, for pessimistic losses.
    ///
    /// **Guarantee:** holds wherever ε lies, in the window or outside. 1 when nothing less is proven.
    func upperDelta(epsilon: Double) -> Finding {
        if epsilon >= largestLoss { return Finding(value: min(1, infinityMass), slope: 0, place: .inside) }
        // The distance x − ε has the rounding errors of both.
        let epsilon = epsilon - 0x1p-50 * epsilon
        let (finite, decay) = untilted(epsilon)
        // Mass below the window counts where ε lies there, too.
        let isBelow = epsilon < Double(first) * interval
        let noise = error(decay: decay, misplaced: isBelow ? massAbove + massBelow : massAbove)
        // The second bound is Chernoff's.
        let bound = min(finite + noise, decay * peak)
        let delta = exp(log(bound) + logScale) * (1 + relativeError) + infinityMass
        // Overflow leaves nothing proven; underflow proves no more than the floor.
        return Finding(
            value: delta < 1 ? max(delta, Self.leastDelta) : 1, slope: 0,
            place: place(of: epsilon, finite: finite, noise: noise))
    }

    /// δ(ε) at least, for optimistic losses. 0 when nothing more is proven.
    func lowerDelta(epsilon: Double) -> Finding {
        let epsilon = epsilon + 0x1p-50 * epsilon
        let (finite, decay) = untilted(epsilon)
        let noise = error(decay: decay, misplaced: massAbove + massBelow)
        let bound = finite - noise
        let delta = bound > 0 && bound < .infinity ? exp(log(bound) + logScale) / (1 + relativeError) : 0
        return Finding(value: delta, slope: 0, place: place(of: epsilon, finite: finite, noise: noise))
    }

    /// Inside, unless the window's error makes up most of a bound on δ(ε).
    private func place(of epsilon: Double, finite: Double, noise: Double) -> Place {
        if noise <= 0.5 * finite, finite < .infinity { return .inside }
        return epsilon < reference || !finite.isFinite ? .below : .above
    }

    /// The least upper end of a δ that is not 0. An exponential below 2⁻¹⁰²² is rounded to a multiple of 2⁻¹⁰⁷⁴, or
    /// to 0, in each of at most 2²³ slots.
    static let leastDelta = 1e-300

    /// An ε with δ(ε) at most the target, proven without the window's entries.
    ///
    /// Of three the least:
    ///
    ///     r + (log max_y e^{−θy}(1 − e^{−y}) − log target)/θ       anywhere (Chernoff: Rényi's bound of order 1 + θ)
    ///     r + (log error − log target)/θ                            above the window, where only the error is left
    ///     the sum of the largest losses                             where δ(ε) = P(L = ∞)
    private func tailEpsilon(logTarget: Double) -> Double {
        guard tilt > 0 else { return max(0, largestLoss) }
        func epsilon(_ logFactor: Double) -> Double {
            let distance = (logFactor - logTarget) / tilt
            let result = reference + distance + 0x1p-50 * (abs(reference) + abs(distance))
            return result.isNaN ? .infinity : result
        }
        let top = Double(first + masses.count) * interval
        let beyond = max(top + 0x1p-50 * abs(top), epsilon(log(error(decay: 1, misplaced: massAbove))))
        return max(0, min(epsilon(log(peak)), beyond, largestLoss))
    }

    /// Walks down from the top until Σ + error exceeds `target` at a grid point x, then solves inside that cell, where
    /// Σ(ε) = A − B·e^{ε − x} is exact; the error is frozen at the cell's lower end, where it is largest. `error` is
    /// that at the reference point, with its sign.
    ///
    /// For pessimistic losses the caller has shown that the error at the top is at most `target`, so each cell's upper
    /// end is proven when the walk enters the cell.
    private func crossing(_ target: Double, error: Double, isPessimistic: Bool) -> Finding {
        var (a, b) = (0.0, 0.0)
        let shrink = exp(-interval)
        // A grid point is off by the rounding of a product.
        func rounded(_ epsilon: Double) -> Double {
            max(0, epsilon + (isPessimistic ? 0x1p-50 : -0x1p-50) * abs(epsilon))
        }
        for slot in stride(from: masses.count - 1, through: 0, by: -1) {
            let x = Double(first + slot) * interval
            let decay = exp(-tilt * (x - reference))
            b *= shrink
            let noise = error * decay
            let excess = a - b + noise - target
            // An overflow proves nothing: the upper end must stop there, the lower end must not.
            if isPessimistic ? !(excess <= 0) : excess > 0 && excess.isFinite {
                let rise = b > 0 && excess.isFinite ? log1p(excess / b) : interval
                let place: Place =
                    if !excess.isFinite { .below } else if isPessimistic, noise > 0.5 * target { .above } else {
                        .inside
                    }
                let slope = excess.isFinite ? b / target : 0
                return Finding(value: rounded(x + min(interval, rise)), slope: slope, place: place)
            }
            if x <= 0 { return Finding(value: 0, slope: b / target, place: .inside) }
            let weight = masses[slot] * decay
            a += weight
            b += weight
        }
        // Nothing crossed. That proves the window's lower end as an upper end, and nothing as a lower end.
        let epsilon = isPessimistic ? rounded(Double(first) * interval) : 0
        return Finding(value: epsilon, slope: 0, place: .below)
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
