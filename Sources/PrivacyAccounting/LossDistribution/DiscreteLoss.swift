import Foundation

/// A privacy loss on the grid {i·h}: a pair of distributions that provably is worse, or provably is better, than a
/// given one.
struct DiscreteLoss: Sendable {
    /// Grid index of `masses[0]`.
    var first: Int
    /// P-mass at each grid point.
    var masses: [Double]
    /// P-mass where the loss is taken to be infinite.
    var infinityMass = 0.0
    /// How far the true loss may lie below its grid point. Zero for pessimistic distributions.
    var slack = RoundingSlack()

    var last: Int { first + masses.count - 1 }
}

/// The rounding error o = L − L_grid of an optimistic grid, as a random variable under P: |o| ≤ bound.
struct RoundingSlack: Sendable {
    var (mean, variance, bound) = (0.0, 0.0, 0.0)
}

/// The indices that a loss needs on a grid: all but `tail` of P on either side.
struct GridRange {
    let (first, last): (Int, Int)

    /// - Throws: ``AccountingError/tooLarge(what:size:limit:)`` above `limit` points.
    init(of pair: any PrivacyLossPair, interval: Double, tail: Double, limit: Int) throws(AccountingError) {
        func edge(_ sign: Double) -> Double {
            func isInside(_ loss: Double) -> Bool {
                let tails = pair.tails(at: sign * loss)
                return (sign > 0 ? tails.pAbove : tails.pBelow) > tail
            }
            var (low, high) = (-1.0, 1.0)
            while isInside(high), high < 1e300 { (low, high) = (high, high * 4) }
            while !isInside(low), low > -1e300 { (low, high) = (low * 4, low) }
            while high - low > max(0.5 * interval, 1e-9 * abs(high)) {
                let middle = 0.5 * (low + high)
                if isInside(middle) { low = middle } else { high = middle }
            }
            return sign * high
        }
        let (top, bottom) = ((edge(1) / interval).rounded(.up), (edge(-1) / interval).rounded(.down))
        guard abs(top) < 1e15, abs(bottom) < 1e15, top - bottom < Double(limit) else {
            throw .tooLarge(what: "the loss of one step", size: "\(top - bottom) points", limit: "\(limit)")
        }
        first = min(Int(bottom), Int(top) - 1)
        last = Int(top)
    }
}

extension DiscreteLoss {
    /// The pessimistic distribution of connect-the-dots (arXiv 2207.04380): the mass between two neighbouring grid
    /// points moves to these two so that both its P- and its Q-mass are kept. Equivalently, δ as a function of e^ε is
    /// joined by straight lines between grid points, where it is exact.
    ///
    /// **Guarantee:** dominates (P, Q): its δ(ε) is nowhere below theirs, also after composition. Mass above the last
    /// point goes to infinity, mass below the first goes up to it, and what rounding can have taken from a cell's
    /// upper end is added to it.
    static func pessimistic(
        _ pair: some PrivacyLossPair, range: GridRange, interval h: Double
    ) -> DiscreteLoss {
        var masses = [Double](repeating: 0, count: range.last - range.first + 1)
        var here = pair.tails(at: Double(range.first) * h)
        masses[0] = here.pBelow
        let spread = -expm1(-h)
        for i in range.first..<range.last {
            let next = pair.tails(at: Double(i + 1) * h)
            let p = CellMass(below: here.pBelow, next.pBelow, above: here.pAbove, next.pAbove)
            let q = CellMass(below: here.qBelow, next.qBelow, above: here.qAbove, next.qAbove)
            // From a + b = p and a·e^{−ε} + b·e^{−ε−h} = q: b = (p − q·e^ε)/(1 − e^{−h}).
            let scale = exp(Double(i) * h)
            let rounding = p.error + (q.mass == 0 ? 0 : q.error * scale)
            let upper = q.mass == 0 ? p.mass : min(p.mass, max(0, (p.mass - q.mass * scale + rounding) / spread))
            masses[i - range.first] += p.mass - upper
            masses[i - range.first + 1] += upper
            here = next
        }
        return DiscreteLoss(first: range.first, masses: masses, infinityMass: here.pAbove)
    }

    /// The optimistic distribution: the outcomes whose loss lies within h/2 of a grid point are reported as one, which
    /// is post-processing, and the loss of that merged outcome differs from the grid point by a small known amount.
    /// ``RoundingSlack`` holds that amount's moments; the composition turns them into a shift of ε.
    ///
    /// **Guarantee:** δ(ε) of (P, Q), composed, is nowhere below the composition of this distribution at
    /// ε + shift, less the probability η that the shift fails (Bernstein's inequality). See ``RoundingShift``.
    static func optimistic(
        _ pair: some PrivacyLossPair, range: GridRange, interval h: Double
    ) -> DiscreteLoss {
        let count = range.last - range.first + 1
        var masses = [Double](repeating: 0, count: count)
        var offsets = [Double](repeating: 0, count: count)
        var here = pair.tails(at: (Double(range.first) - 0.5) * h)
        for slot in 0..<count {
            let point = Double(range.first + slot) * h
            let next = pair.tails(at: point + 0.5 * h)
            let p = CellMass(below: here.pBelow, next.pBelow, above: here.pAbove, next.pAbove)
            let q = CellMass(below: here.qBelow, next.qBelow, above: here.qAbove, next.qAbove)
            masses[slot] = max(0, p.mass - p.error)
            if masses[slot] > 0 {
                let loss = q.mass > 0 ? log(p.mass / q.mass) - p.error / p.mass - q.error / q.mass : .infinity
                offsets[slot] = max(-0.5 * h, min(0.5 * h, loss - point))
            }
            here = next
        }
        // Above the range every loss exceeds the last point's, so reporting it as the last point is optimistic.
        masses[count - 1] += here.pAbove
        let slack = RoundingSlack.tightest(masses: &masses, offsets: offsets, interval: h)
        return DiscreteLoss(first: range.first, masses: masses, slack: slack)
    }

    /// Takes out masses below 10⁻³⁰⁰, whose tilted weights could overflow on the way, and returns their sum: it counts
    /// as infinite loss for an upper end, and not at all for a lower one.
    mutating func removeTraces() -> Double {
        var sum = 0.0
        for slot in masses.indices where masses[slot] > 0 && masses[slot] < 1e-300 {
            sum += masses[slot]
            masses[slot] = 0
        }
        return sum
    }

    /// Σ wᵢ·partᵢ: a mechanism that draws one of several mechanisms and announces which.
    static func mixture(_ parts: [(weight: Double, loss: DiscreteLoss)]) -> DiscreteLoss {
        guard parts.count > 1 else { return parts[0].loss }
        let first = parts.map(\.loss.first).min()!
        let last = parts.map(\.loss.last).max()!
        var result = DiscreteLoss(first: first, masses: [Double](repeating: 0, count: last - first + 1))
        for (weight, loss) in parts {
            for (slot, mass) in loss.masses.enumerated() { result.masses[loss.first - first + slot] += weight * mass }
            result.infinityMass += weight * loss.infinityMass
        }
        return result
    }
}

/// The mass between two grid points, from whichever pair of tails is smaller, and a bound on its rounding error.
struct CellMass {
    let mass: Double
    let error: Double

    init(below lower: Double, _ upper: Double, above lowerAbove: Double, _ upperAbove: Double) {
        let usesBelow = upper < lowerAbove
        mass = max(0, usesBelow ? upper - lower : lowerAbove - upperAbove)
        // Two tails. Each is correct to 4 ulps at its argument. The argument has 2½ roundings, which move a Gaussian
        // tail t by x² as much, relatively, and x² ≤ −2·log(2t) ≤ −1.4·log₂ t.
        let tail = usesBelow ? upper : lowerAbove
        error = tail * (8 - 8 * (Double(tail.exponentBitPattern) - 1023)) * 0x1p-53
    }
}

extension RoundingSlack {
    /// Picks the bound c on |o| that costs least after composition, and applies it: larger offsets count as c, and
    /// mass with an offset below −c moves down one point, where its offset is at least c.
    static func tightest(masses: inout [Double], offsets: [Double], interval h: Double) -> RoundingSlack {
        func slack(_ c: Double) -> (slack: RoundingSlack, cost: Double) {
            var (mean, square, lost) = (0.0, 0.0, 0.0)
            for (mass, offset) in zip(masses, offsets) {
                let kept = offset < -c ? c : min(c, offset)
                mean += mass * kept
                square += mass * kept * kept
                lost += mass * (offset < -c ? h + offset - c : offset - kept)
            }
            let result = RoundingSlack(mean: mean, variance: square, bound: c)
            // Per step, up to constants: what is thrown away, plus a deviation of the size that 10⁴ steps see.
            return (result, lost + 0.07 * square.squareRoot() + 0.002 * c)
        }
        let candidates = (0...9).map { slack(0.5 * h * pow(0.5, Double($0))) }
        let best = candidates.min { $0.cost < $1.cost }!.slack
        for slot in masses.indices where offsets[slot] < -best.bound {
            if slot > 0 { masses[slot - 1] += masses[slot] }
            masses[slot] = 0
        }
        return best
    }
}
