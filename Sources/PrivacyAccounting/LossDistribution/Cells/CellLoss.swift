import Foundation

/// A privacy loss as atoms on a ``CellGrid``: of a pair of distributions that provably is worse than a given one, or
/// provably is better. Sums of independent losses are taken pair by pair: nothing is ever subtracted, so that every
/// probability keeps its relative accuracy, down to 10⁻³⁰⁰.
///
/// **Guarantee:**
/// - ``Side/upper``: atoms lie on edges. What lies between two edges moves to these two so that its mass under P and
///   under Q are both kept (connect-the-dots, arXiv 2207.04380), or more of it moves up; what lies above the last edge
///   has an infinite loss, what lies below the first moves up to it. δ(ε) is nowhere below the given one's, also after
///   composition.
/// - ``Side/lower``: each cell holds one atom. What lies in a cell is reported as one outcome, which is
///   post-processing, and its loss is not more than that outcome's; what lies above the last edge counts as lying
///   there, what lies below the first is left out. δ(ε) is nowhere above the given one's.
struct CellLoss {
    typealias Side = LossModel.Side

    private(set) var centre: Double
    /// Offsets from the centre, ascending.
    private(set) var offsets: [Double]
    /// P of each.
    private(set) var masses: [Double]
    /// P-mass of an infinite loss; for the upper side.
    private(set) var infinityMass: Double
    /// The number of roundings that a mass has had, at most.
    private var roundings: Double
    /// What roundings can have moved a loss by, at most.
    private var offsetError: Double
    private let shape: CellShape

    /// A few deviations' worth of probability, on either side of which the bulk ends.
    private static let sixth = 0.16
    /// A mass below it has no relative accuracy.
    private static let leastMass = 1e-300
}

extension CellLoss {
    /// One step with the loss of `pair`, without what has less than `tail` of P on either side.
    init(_ pair: any PrivacyLossPair, side: Side, tail: Double, shape: CellShape) {
        /// Two losses with the one between them at which `isLow` ends.
        func place(where isLow: (LossTails) -> Bool) -> (low: Double, high: Double) {
            var (low, high) = (-1.0, 1.0)
            while isLow(pair.tails(at: high)), high < 1e300 { (low, high) = (high, high * 4) }
            while !isLow(pair.tails(at: low)), low > -1e300 { (low, high) = (low * 4, low) }
            for _ in 0..<1100 where high - low > 1e-3 * max(abs(low), abs(high)) {
                let middle = 0.5 * (low + high)
                if middle == low || middle == high { break }
                if isLow(pair.tails(at: middle)) { low = middle } else { high = middle }
            }
            return (low, high)
        }
        let median = place { $0.pBelow < 0.5 }.low
        let width = place { $0.pAbove > Self.sixth }.high - place { $0.pBelow < Self.sixth }.low
        let (bottom, top) = (place { $0.pBelow < tail }.low, place { $0.pAbove > tail }.high)
        let reach = max(abs(bottom - median), abs(top - median))
        let scale = max(0.5 * width / shape.fineness, 1e-7 * reach, 1e-300)
        let grid = CellGrid(
            centre: median, scale: scale, shape: shape, from: bottom - median - scale, to: top - median + scale)
        self.init(pair, grid: grid, side: side, shape: shape)
    }

    private init(_ pair: any PrivacyLossPair, grid: CellGrid, side: Side, shape: CellShape) {
        centre = grid.centre
        self.shape = shape
        let losses = grid.edges.map { grid.centre + $0 }
        // Offsets as they come out of the sum, so that edges are where the tails are asked for.
        let edges = losses.map { $0 - grid.centre }
        var here = pair.tails(at: losses[0])
        roundings = 8
        offsetError = 0x1p-50 * (abs(losses[0]) + abs(losses.last!))
        switch side {
        case .upper:
            offsets = edges
            masses = [Double](repeating: 0, count: edges.count)
            masses[0] = here.pBelow
            for k in 0..<grid.cellCount {
                let next = pair.tails(at: losses[k + 1])
                let (p, q) = Self.masses(from: here, to: next)
                // From a + b = p and a·e^{−low} + b·e^{−high} = q: b = (p − q·e^low)/(1 − e^{low − high}). Both masses
                // may only be too large.
                let (low, high) = (losses[k], losses[k + 1])
                let (mass, scale) = (p.mass + p.error, exp(low))
                let rounding = p.error + (q.mass == 0 ? 0 : q.error * scale)
                // Where Q underflows, nothing keeps P from lying at the upper end.
                let upper =
                    q.mass < Self.leastMass || scale == .infinity
                    ? mass : min(mass, max(0, (p.mass - q.mass * scale + rounding) / -expm1(low - high)))
                masses[k] += mass - upper
                masses[k + 1] += upper
                here = next
            }
            infinityMass = here.pAbove
        case .lower:
            (offsets, masses) = ([], [])
            for k in 0..<grid.cellCount {
                let next = pair.tails(at: losses[k + 1])
                let (p, q) = Self.masses(from: here, to: next)
                here = next
                let mass = p.mass - p.error
                guard mass > 0 else { continue }
                let most = q.mass + q.error
                let loss = most > Self.leastMass ? log(mass / most) - 0x1p-50 * abs(losses[k]) : losses[k]
                offsets.append(max(edges[k], min(edges[k + 1], (loss - grid.centre).nextDown)))
                masses.append(mass)
            }
            // The cell is below the rest of the probability.
            offsets.append(edges.last!)
            masses.append(here.pAbove)
            infinityMass = 0
        }
    }

    private static func masses(from low: LossTails, to high: LossTails) -> (p: CellMass, q: CellMass) {
        (
            CellMass(below: low.pBelow, high.pBelow, above: low.pAbove, high.pAbove),
            CellMass(below: low.qBelow, high.qBelow, above: low.qAbove, high.qAbove)
        )
    }

    /// One of several losses, chosen by its weight, publicly.
    static func mixture(_ parts: [(weight: Double, loss: CellLoss)], infinityMass: Double) -> CellLoss {
        var result = parts[0].loss
        guard parts.count > 1 || parts[0].weight != 1 || infinityMass > 0 else { return result }
        let atoms = parts.flatMap { part in
            zip(part.loss.offsets, part.loss.masses).map { (part.loss.centre - result.centre + $0, part.weight * $1) }
        }.sorted { $0.0 < $1.0 }
        result.offsets = atoms.map(\.0)
        result.masses = atoms.map(\.1)
        result.infinityMass = parts.reduce(infinityMass) { $0 + $1.weight * $1.loss.infinityMass }
        result.roundings += 1
        result.offsetError =
            parts.reduce(0) { max($0, $1.loss.offsetError) }
            + 0x1p-50 * (abs(result.centre) + abs(result.offsets[0]) + abs(result.offsets.last!))
        return result
    }
}

extension CellLoss {
    /// The offset below which P has `share` of all its mass.
    private func quantile(_ share: Double) -> Double {
        let target = share * masses.reduce(0, +)
        var below = 0.0
        for (offset, mass) in zip(offsets, masses) {
            below += mass
            if below >= target { return offset }
        }
        return offsets.last!
    }

    /// Half of the width of what has all but a sixth of P on either side.
    private var halfWidth: Double { 0.5 * (quantile(1 - Self.sixth) - quantile(Self.sixth)) }

    /// The same with its median as the centre, around which cells are narrow.
    private var centred: CellLoss {
        var result = self
        let median = quantile(0.5)
        result.centre += median
        result.offsetError += 0x1p-50 * (abs(result.centre) + abs(median))
        for index in offsets.indices { result.offsets[index] -= median }
        return result
    }

    /// The sum of both, without what has less than `tail` of P on either side.
    func adding(_ other: CellLoss, side: Side, tail: Double) -> CellLoss {
        let scale = hypot(halfWidth, other.halfWidth) / shape.fineness
        let low = offsets[0] + other.offsets[0]
        let high = offsets.last! + other.offsets.last!
        let grid = CellGrid(
            centre: centre + other.centre, scale: max(scale, 1e-9 * (high - low), 1e-300),
            shape: shape, from: low, to: high)
        var result = CellLoss(self, plus: other, grid: grid, side: side)
        result.trim(tail: tail, side: side)
        return result.centred
    }

    private init(_ first: CellLoss, plus second: CellLoss, grid: CellGrid, side: Side) {
        centre = grid.centre
        shape = first.shape
        let edges = grid.edges
        let last = edges.count - 1
        var sums = [Double](repeating: 0, count: edges.count)
        var moments = [Double](repeating: 0, count: edges.count)
        // Each cell's 1/h, and how much more than its share moves up so that Q's mass is kept: for t of the way through
        // a cell (1 − e^{−th})/(1 − e^{−h}) ≤ t + t(1 − t)(h/2)(1 + h/2).
        let inverse = (0..<last).map { 1 / (edges[$0 + 1] - edges[$0]) }
        let bend = (0..<last).map { k in
            let h = edges[k + 1] - edges[k]
            return 0.5 * h * (1 + 0.5 * h)
        }
        let isLower = side == .lower
        // Plain loops over pointers: what is done here some 10⁶ times must be fast in debug builds, too.
        sums.withUnsafeMutableBufferPointer { sumsBuffer in
            moments.withUnsafeMutableBufferPointer { momentsBuffer in
                withPointers(second.offsets, second.masses, edges, inverse, bend) {
                    offsets, masses, edges, inverse, bend in
                    let (sums, moments) = (sumsBuffer.baseAddress!, momentsBuffer.baseAddress!)
                    var i = 0
                    let (rows, columns) = (first.offsets.count, second.offsets.count)
                    while i < rows {
                        let (offset, mass) = (first.offsets[i], first.masses[i])
                        i += 1
                        var (j, k) = (0, 0)
                        // What goes to the ends of cell k, of this row: a sum has a rounding for each row and column.
                        var (low, high) = (0.0, 0.0)
                        while j < columns {
                            let x = offset + offsets[j]
                            let weight = mass * masses[j]
                            j += 1
                            while k + 1 < last, edges[k + 1] <= x {
                                if low > 0 || high > 0 {
                                    sums[k] += low
                                    if isLower { moments[k] += high } else { sums[k + 1] += high }
                                    (low, high) = (0, 0)
                                }
                                k += 1
                            }
                            if isLower {
                                low += weight
                                high += weight * (x - edges[k])
                            } else {
                                var t = (x - edges[k]) * inverse[k]
                                if t > 1 { t = 1 } else if t < 0 { t = 0 }
                                var share = t + t * (1 - t) * bend[k]
                                if share > 1 { share = 1 }
                                let up = share * weight
                                low += weight - up
                                high += up
                            }
                        }
                        sums[k] += low
                        if isLower { moments[k] += high } else { sums[k + 1] += high }
                    }
                }
            }
        }
        infinityMass = first.infinityMass + second.infinityMass
        roundings = first.roundings + second.roundings + Double(first.offsets.count + second.offsets.count + 4)
        offsetError =
            first.offsetError + second.offsetError + 0x1p-50 * (abs(centre) + abs(edges[0]) + abs(edges[last]))
        guard side == .lower else {
            (offsets, masses) = (edges, sums)
            return
        }
        // There is always one, if only to hold nothing.
        (offsets, masses) = ([edges[0]], [0])
        for k in 0..<last where sums[k] > 0 {
            // −log E[e^{−x}] ≥ E[x] − h²/8 for x in a cell of width h (Hoeffding's lemma).
            let h = edges[k + 1] - edges[k]
            let mean = edges[k] + moments[k] / sums[k] * (1 - 1e-9)
            offsets.append(max(edges[k], mean - h * h / 8))
            masses.append(sums[k])
        }
    }

    /// Takes out what has less than `tail` of P on either side, to the side that is safe.
    private mutating func trim(tail: Double, side: Side) {
        var (low, high, below, above) = (0, offsets.count, 0.0, 0.0)
        while high - low > 2, above + masses[high - 1] < tail {
            high -= 1
            above += masses[high]
        }
        while high - low > 2, below + masses[low] < tail {
            below += masses[low]
            low += 1
        }
        offsets = Array(offsets[low..<high])
        masses = Array(masses[low..<high])
        if side == .upper {
            masses[0] += below
            infinityMass += above
        } else {
            masses[masses.count - 1] += above
        }
    }

    /// The sum of `count` ≥ 1 of it.
    func times(_ count: Int, side: Side, tail: Double) -> CellLoss {
        var (result, base, rest): (CellLoss?, CellLoss, Int) = (nil, self, count)
        while true {
            if rest & 1 == 1 { result = result.map { $0.adding(base, side: side, tail: tail) } ?? base }
            rest >>= 1
            if rest == 0 { return result! }
            base = base.adding(base, side: side, tail: tail)
        }
    }
}

extension CellLoss {
    /// What there is of it, with the rounding of masses and losses on the safe side of an upper end.
    var atoms: [AtomicPair.Atom] {
        zip(offsets, masses).filter { $1 > 0 }.map { offset, mass in
            let loss = centre + offset + offsetError
            let p = mass * exp(logError)
            return AtomicPair.Atom(loss: loss, p: p, q: p * exp(-loss))
        }
    }

    /// What a sum of masses can be off by: the logarithm of a factor.
    private var logError: Double { 0x1p-52 * (roundings + Double(offsets.count)) }

    /// δ(ε) of the upper side, at least; of the lower side, at most.
    func delta(epsilon: Double, side: Side) -> Double {
        let slip = offsetError + 0x1p-50 * (abs(epsilon) + abs(centre))
        let threshold = epsilon - centre + (side == .upper ? -slip : slip)
        var sum = 0.0
        for (offset, mass) in zip(offsets, masses).reversed() {
            guard offset > threshold else { break }
            sum += mass * -expm1(threshold - offset)
        }
        // Underflow of a product in each of the sums is covered by the least δ that is ever claimed.
        let factor = exp(logError)
        guard factor < 1e6 else { return side == .upper ? 1 : 0 }
        return side == .upper ? min(1, (sum + infinityMass) * factor) : sum / factor
    }

    /// An ε ≥ 0 with δ(ε) ≤ δ, of the upper side; one with δ(ε) ≥ δ, or 0, of the lower.
    func epsilon(delta: Double, side: Side) -> Double {
        let top = max(0, centre + offsets.last! + 0x1p-40 * (abs(centre) + abs(offsets.last!)))
        if self.delta(epsilon: 0, side: side) <= delta { return 0 }
        var (low, high) = (0.0, top)
        if self.delta(epsilon: high, side: side) > delta { return side == .upper ? .infinity : high }
        for _ in 0..<200 where high - low > 1e-12 * high {
            let middle = 0.5 * (low + high)
            if self.delta(epsilon: middle, side: side) > delta { low = middle } else { high = middle }
        }
        return side == .upper ? high : low
    }
}

/// The elements of five arrays, none empty.
private func withPointers(
    _ a: [Double], _ b: [Double], _ c: [Double], _ d: [Double], _ e: [Double],
    _ body: (
        UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>, UnsafePointer<Double>,
        UnsafePointer<Double>
    ) -> Void
) {
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            c.withUnsafeBufferPointer { c in
                d.withUnsafeBufferPointer { d in
                    e.withUnsafeBufferPointer { e in
                        body(a.baseAddress!, b.baseAddress!, c.baseAddress!, d.baseAddress!, e.baseAddress!)
                    }
                }
            }
        }
    }
}
