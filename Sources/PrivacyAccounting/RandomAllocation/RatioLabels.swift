import Foundation

/// Labels on a geometric grid {e^{ih}} as they are made: outcomes go to one of the two grid points next to their value
/// x, to the upper one with probability w, so that w·x₊ + (1 − w)·x₋ = x.
struct RatioLabels {
    /// h.
    let interval: Double
    /// Grid indices, ascending.
    private(set) var indices: [Int]
    /// Q-mass of each label.
    private(set) var masses: [Double]
    /// Σ mass·(x − x_J)/x_J over what has gone to a label J.
    private(set) var offsets: [Double]

    /// What lies between two consecutive grid points: the mass that goes to the lower one and to the upper one, and
    /// Σ mass·w·(1 − w).
    struct Cell {
        var (below, above, spread) = (0.0, 0.0, 0.0)
    }

    /// Labels at the ends of consecutive cells; the last cell begins at the last label, and must be empty.
    private init(first: Int, cells: [Cell], interval h: Double) {
        interval = h
        indices = Array(first..<first + cells.count)
        masses = [Double](repeating: 0, count: cells.count)
        offsets = masses
        // (x₊ − x₋) over x₋ and over x₊.
        let (up, down) = (expm1(h), -expm1(-h))
        var previous = Cell()
        for (slot, cell) in cells.enumerated() {
            masses[slot] = previous.above + cell.below
            offsets[slot] = cell.spread * up - previous.spread * down
            previous = cell
        }
    }

    /// The value of a label.
    private func value(_ slot: Int) -> Double { exp(Double(indices[slot]) * interval) }

    /// The largest value.
    var largestValue: Double { value(indices.count - 1) }
}

extension RatioLabels {
    /// One ratio, between the grid points `first` and `last`.
    ///
    /// In y = x/z a cell is an interval of at most 1/80, and what it holds are integrals of positive functions, φ(y)
    /// times a share. Gauss's eight points leave a relative error far below 2⁻⁶⁰; roundings leave one below 2⁻⁴⁰, y²
    /// ulps most of all.
    init(from first: Int, through last: Int, deviation s: Double, interval h: Double) {
        var cells = [Cell](repeating: Cell(), count: last - first + 1)
        let half = h / s / 2
        for slot in 0..<(last - first) {
            let middle = Double(first + slot) * h / s + s / 2 + half
            for (node, weight) in Self.quadrature {
                for offset in [-node, node] {
                    let mass = weight * half * Normal.density(middle + offset * half)
                    let share = expm1((1 + offset) * half * s) / expm1(h)
                    cells[slot].below += mass * (1 - share)
                    cells[slot].above += mass * share
                    cells[slot].spread += mass * share * (1 - share)
                }
            }
        }
        self.init(first: first, cells: cells, interval: h)
    }

    /// Nodes and weights of Gauss's quadrature of 8 points on [−1, 1]: the positive half.
    private static let quadrature = [
        (node: 0.183434642495649804939476142360, weight: 0.362683783378361982965150449277),
        (node: 0.525532409916328985817739049189, weight: 0.313706645877887287337962201987),
        (node: 0.796666477413626739591553936476, weight: 0.222381034453374470544355994426),
        (node: 0.960289856497536231683560868569, weight: 0.101228536290376259152531354310),
    ]

    /// Sums of two independent sums, on a grid that is as fine as theirs or finer. O(labels · labels).
    ///
    /// e^{ih} + e^{(i−d)h} = e^{ih}·(1 + e^{−dh}): where it lies in its cell depends on d only. The logarithm errs by a
    /// few ulps of 1, and so does the mean of what is made of it.
    init(adding a: LikelihoodRatioSum, _ b: LikelihoodRatioSum, level: Int, interval h: Double) {
        let common = min(a.level, b.level)
        let (ours, theirs) = (a.indices.map { $0 << (a.level - common) }, b.indices.map { $0 << (b.level - common) })
        let factor = 1 << (common - level)
        let places = Self.places(
            through: max(ours.last! - theirs.first!, theirs.last! - ours.first!), interval: h * Double(factor), cell: h)
        let first = max(ours.first!, theirs.first!) * factor
        let last = max(ours.last!, theirs.last!) * factor + places[0].offset + 1
        var cells = [Cell](repeating: Cell(), count: last - first + 1)
        // A power is added to itself, and nothing else has as many terms: each pair of labels comes twice.
        let isSquare = a.terms == b.terms
        // Plain loops over pointers: what is done here some 10⁶ times must be fast in debug builds, too.
        cells.withUnsafeMutableBufferPointer { cells in
            places.withUnsafeBufferPointer { places in
                var i = 0
                while i < ours.count {
                    var j = 0
                    let (index, mass) = (ours[i], a.masses[i])
                    let end = isSquare ? i + 1 : theirs.count
                    theirs.withUnsafeBufferPointer { theirs in
                        b.masses.withUnsafeBufferPointer { masses in
                            let (cells, places) = (cells.baseAddress!, places.baseAddress!)
                            let (theirs, masses) = (theirs.baseAddress!, masses.baseAddress!)
                            while j < end {
                                let distance = index - theirs[j]
                                let isLarger = distance >= 0
                                let place = places + (isLarger ? distance : -distance)
                                let slot = (isLarger ? index : theirs[j]) * factor + place.pointee.offset - first
                                let product = isSquare && j < i ? 2 * mass * masses[j] : mass * masses[j]
                                cells[slot].below += product * place.pointee.below
                                cells[slot].above += product * place.pointee.above
                                cells[slot].spread += product * place.pointee.spread
                                j += 1
                            }
                        }
                    }
                    i += 1
                }
            }
        }
        self.init(first: first, cells: cells, interval: h)
    }

    /// Where a sum lies whose terms are a distance apart: how many cells above the larger one, and the shares.
    private struct Place {
        let offset: Int
        let (below, above, spread): (Double, Double, Double)
    }

    /// The places of sums, by the distance of the terms' indices.
    private static func places(through distance: Int, interval: Double, cell: Double) -> [Place] {
        (0...distance).map { distance in
            let logarithm = log1p(exp(-Double(distance) * interval))
            let offset = (logarithm / cell).rounded(.down)
            let share = max(0, min(1, expm1(logarithm - offset * cell) / expm1(cell)))
            return Place(offset: Int(offset), below: 1 - share, above: share, spread: share * (1 - share))
        }
    }
}

extension RatioLabels {
    /// Removes labels at both ends: a `tail` of Q below, of the measure with the ratio S/`terms` to Q above. Returns
    /// the Q-mass and the Σ mass·value that went.
    mutating func trim(terms: Int, tail: Double) -> (mass: Double, value: Double) {
        var (low, high) = (0, indices.count - 1)
        var (mass, weight) = (0.0, 0.0)
        while low < high, mass + masses[low] <= tail {
            mass += masses[low]
            weight += masses[low] * value(low)
            low += 1
        }
        var top = 0.0
        while high > low, top + masses[high] * value(high) <= tail * Double(terms) {
            mass += masses[high]
            top += masses[high] * value(high)
            high -= 1
        }
        (indices, masses, offsets) = (Array(indices[low...high]), Array(masses[low...high]), Array(offsets[low...high]))
        return (mass, weight + top)
    }

    /// Moves masses to fewer labels, `stride` of a value's logarithm grid points apart, keeping means; the grid ends
    /// with a whole cell, above the last label if `isCovering`, below it if not.
    mutating func thin(isCovering: Bool, stride: (Double) -> Int) {
        let (first, last) = (indices.first!, indices.last!)
        var points = [first]
        while points.last! < last {
            let here = points.last!
            // A stride begins at a multiple of itself.
            let aligned = here == 0 ? Int.max : here & -here
            points.append(here + min(aligned, stride(Double(here) * interval)))
        }
        if !isCovering, points.last! > last { points.removeLast() }
        var thinned = (
            masses: [Double](repeating: 0, count: points.count), offsets: [Double](repeating: 0, count: points.count)
        )
        var cell = 0
        for (slot, index) in indices.enumerated() where index <= points.last! {
            while cell + 1 < points.count, points[cell + 1] <= index { cell += 1 }
            let (up, width) = (
                Double(index - points[cell]) * interval,
                cell + 1 < points.count ? Double(points[cell + 1] - points[cell]) * interval : interval
            )
            let share = expm1(up) / expm1(width)
            thinned.masses[cell] += masses[slot] * (1 - share)
            thinned.offsets[cell] += (1 - share) * (masses[slot] * expm1(up) + offsets[slot] * exp(up))
            if share > 0 {
                let down = up - width
                thinned.masses[cell + 1] += masses[slot] * share
                thinned.offsets[cell + 1] += share * (masses[slot] * expm1(down) + offsets[slot] * exp(down))
            }
        }
        (indices, masses, offsets) = (points, thinned.masses, thinned.offsets)
    }

    /// Removes the first and the last label, which have had what lies on one side only, so that their means are not
    /// their values.
    mutating func dropEnds() {
        guard indices.count > 2 else { return }
        indices = Array(indices.dropFirst().dropLast())
        masses = Array(masses.dropFirst().dropLast())
        offsets = Array(offsets.dropFirst().dropLast())
    }
}
