import Foundation

/// Labels on a geometric grid {e^{ih}} as they are made: an outcome goes to one of the two grid points next to its
/// value x, to the upper one with probability w, so that w·x₊ + (1 − w)·x₋ = x.
struct RatioLabels {
    /// h.
    let interval: Double
    /// Grid indices, ascending.
    private(set) var indices: [Int]
    /// Q-mass of each label, and E_Q of what has gone to it.
    private(set) var masses: [Measure]

    /// A mass under Q, and the first moment of what it is the mass of.
    struct Measure {
        var (mass, moment) = (0.0, 0.0)

        mutating func add(_ share: Double, of other: Measure) {
            mass += share * other.mass
            moment += share * other.moment
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
    /// In y = x/z a cell is an interval of at most 1/80, and what it holds are integrals of positive functions, φ(y) or
    /// φ(y − s) times a share. Gauss's eight points leave a relative error far below 2⁻⁶⁰; roundings leave one below
    /// 2⁻⁴⁰, y² ulps most of all.
    init(from first: Int, through last: Int, deviation s: Double, interval h: Double) {
        interval = h
        indices = Array(first...last)
        masses = [Measure](repeating: Measure(), count: indices.count)
        let half = h / s / 2
        for slot in 0..<(last - first) {
            let middle = Double(first + slot) * h / s + s / 2 + half
            for (node, weight) in Self.quadrature {
                for offset in [-node, node] {
                    let y = middle + offset * half
                    let scale = weight * half
                    let point = Measure(mass: scale * Normal.density(y), moment: scale * Normal.density(y - s))
                    let share = expm1((1 + offset) * half * s) / expm1(h)
                    masses[slot].add(1 - share, of: point)
                    masses[slot + 1].add(share, of: point)
                }
            }
        }
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
        interval = h
        indices = Array(first...last)
        masses = [Measure](repeating: Measure(), count: indices.count)
        // A power is added to itself, and nothing else has as many terms: each pair of labels comes twice.
        let isSquare = a.terms == b.terms
        masses.withUnsafeMutableBufferPointer { sums in
            places.withUnsafeBufferPointer { places in
                for (slot, index) in ours.enumerated() {
                    let (mass, moment) = (a.masses[slot].mass, a.masses[slot].moment)
                    let end = isSquare ? slot + 1 : theirs.count
                    theirs.withUnsafeBufferPointer { theirs in
                        b.masses.withUnsafeBufferPointer { masses in
                            // A plain loop over pointers: what is done 10⁶ times must be fast in debug builds, too.
                            let (sums, places) = (sums.baseAddress!, places.baseAddress!)
                            let (theirs, masses) = (theirs.baseAddress!, masses.baseAddress!)
                            var j = 0
                            while j < end {
                                let distance = index - theirs[j]
                                let isLarger = distance >= 0
                                let place = places + (isLarger ? distance : -distance)
                                let sum =
                                    sums + ((isLarger ? index : theirs[j]) * factor + place.pointee.offset - first)
                                let times = isSquare && j < slot ? 2.0 : 1.0
                                let product = times * (mass * masses[j].mass)
                                let first = times * (mass * masses[j].moment + moment * masses[j].mass)
                                sum[0].mass += product * place.pointee.below
                                sum[0].moment += first * place.pointee.below
                                sum[1].mass += product * place.pointee.above
                                sum[1].moment += first * place.pointee.above
                                j += 1
                            }
                        }
                    }
                }
            }
        }
    }

    /// Where a sum lies whose terms are a distance apart: how many cells above the larger one, and the shares.
    private struct Place {
        let offset: Int
        let (below, above): (Double, Double)
    }

    /// The places of sums, by the distance of the terms' indices.
    private static func places(through distance: Int, interval: Double, cell: Double) -> [Place] {
        (0...distance).map { distance in
            let logarithm = log1p(exp(-Double(distance) * interval))
            let offset = (logarithm / cell).rounded(.down)
            let share = max(0, min(1, expm1(logarithm - offset * cell) / expm1(cell)))
            return Place(offset: Int(offset), below: 1 - share, above: share)
        }
    }
}

extension RatioLabels {
    /// Removes labels at both ends: a `tail` of Q below, of the measure with the ratio S/`terms` to Q above. Returns
    /// the Q-mass and the Σ mass·value that went.
    mutating func trim(terms: Int, tail: Double) -> (mass: Double, value: Double) {
        var (low, high) = (0, indices.count - 1)
        var (mass, weight) = (0.0, 0.0)
        while low < high, mass + masses[low].mass <= tail {
            mass += masses[low].mass
            weight += masses[low].mass * value(low)
            low += 1
        }
        var top = 0.0
        while high > low, top + masses[high].mass * value(high) <= tail * Double(terms) {
            mass += masses[high].mass
            top += masses[high].mass * value(high)
            high -= 1
        }
        (indices, masses) = (Array(indices[low...high]), Array(masses[low...high]))
        return (mass, weight + top)
    }

    /// Moves masses to fewer labels, as many grid points apart as `stride` says for a value's logarithm.
    mutating func thin(stride: (Double) -> Int) {
        var points = [indices.first!]
        while points.last! < indices.last! {
            let here = points.last!
            // A stride begins at a multiple of itself.
            let aligned = here == 0 ? Int.max : here & -here
            points.append(here + min(aligned, stride(Double(here) * interval)))
        }
        var thinned = [Measure](repeating: Measure(), count: points.count)
        var cell = 0
        for (slot, index) in indices.enumerated() {
            while points[min(cell + 1, points.count - 1)] <= index, cell + 1 < points.count { cell += 1 }
            guard index > points[cell] else {
                thinned[cell].add(1, of: masses[slot])
                continue
            }
            let place = Double(index - points[cell]) * interval
            let share = expm1(place) / expm1(Double(points[cell + 1] - points[cell]) * interval)
            thinned[cell].add(1 - share, of: masses[slot])
            thinned[cell + 1].add(share, of: masses[slot])
        }
        (indices, masses) = (points, thinned)
    }
}
