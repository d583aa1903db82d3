import Requirements

/// Minimises a smooth function by limited-memory BFGS: steps along −Hg, with H built from the last changes of point
/// and gradient (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.5).
///
/// Every step fulfils the weak Wolfe conditions, which bisection finds (Lewis and Overton, Nonsmooth optimization via
/// quasi-Newton methods, 2013, algorithm 4.6). Where the objective is not finite a step counts as too long: so its
/// domain may have a boundary.
struct LBFGS {
    /// How many changes are kept.
    var memory = 15
    /// The most steps.
    var iterations = 600
    /// It ends when a step promises less than this, to first order, or the last ten together gained less.
    var tolerance = 1e-8

    /// The value at `point`; writes the gradient there, unless the value is not finite.
    typealias Objective = (_ point: [Double], _ gradient: inout [Double]) -> Double

    /// A point with its value and gradient.
    struct Evaluation {
        var point: [Double]
        var value: Double
        var gradient: [Double]
    }

    /// The point that was found, not above any that was tried. Traps unless the objective is finite at `start`.
    ///
    /// - Parameter progress: called with the number of each step and the value after it.
    func minimum(from start: [Double], progress: (Int, Double) -> Void, of objective: Objective) -> Evaluation {
        var current = Evaluation(point: start, value: 0, gradient: [Double](repeating: 0, count: start.count))
        current.value = objective(current.point, &current.gradient)
        require(current.value.isFinite, "A minimum was sought from a point where the value is \(current.value).")
        var pairs: [Pair] = []
        var values = [current.value]
        for iteration in 1...iterations {
            let direction = Self.descent(current.gradient, pairs)
            let slope = Self.dot(current.gradient, direction)
            if abs(slope) < tolerance { break }
            guard let next = Self.step(from: current, along: direction, slope, objective) else {
                // A second try along the gradient; if that does not descend either, rounding is all that is left.
                if pairs.isEmpty { break }
                pairs.removeAll()
                continue
            }
            let pair = Pair(from: current, to: next)
            if pair.curvature > 0 {
                if pairs.count == memory { pairs.removeFirst() }
                pairs.append(pair)
            }
            current = next
            values.append(current.value)
            progress(iteration, current.value)
            if values.count > 10, values[values.count - 11] - current.value < tolerance { break }
        }
        return current
    }

    /// What a step changed.
    private struct Pair {
        let point: [Double]
        let gradient: [Double]
        let curvature: Double

        init(from old: Evaluation, to new: Evaluation) {
            point = zip(new.point, old.point).map(-)
            gradient = zip(new.gradient, old.gradient).map(-)
            curvature = LBFGS.dot(point, gradient)
        }
    }

    /// −Hg; where nothing is known of H, −g of at most length 1.
    private static func descent(_ gradient: [Double], _ pairs: [Pair]) -> [Double] {
        var direction = gradient.map { -$0 }
        guard let last = pairs.last else {
            let scale = 1 / max(1, dot(gradient, gradient).squareRoot())
            return direction.map { $0 * scale }
        }
        var factors: [Double] = []
        for pair in pairs.reversed() {
            factors.append(dot(pair.point, direction) / pair.curvature)
            add(-factors.last!, pair.gradient, to: &direction)
        }
        let scale = last.curvature / dot(last.gradient, last.gradient)
        for index in direction.indices { direction[index] *= scale }
        for (pair, factor) in zip(pairs, factors.reversed()) {
            add(factor - dot(pair.gradient, direction) / pair.curvature, pair.point, to: &direction)
        }
        return direction
    }

    /// A point along `direction` with a value low enough and a slope that is flat enough; the lowest that was tried if
    /// there is none, and nil if that is not lower.
    private static func step(
        from start: Evaluation, along direction: [Double], _ slope: Double, _ objective: Objective
    ) -> Evaluation? {
        guard slope < 0 else { return nil }
        var (low, high, length) = (0.0, Double.infinity, 1.0)
        var best: Evaluation?
        for _ in 0..<40 {
            var trial = start
            add(length, direction, to: &trial.point)
            trial.value = objective(trial.point, &trial.gradient)
            // Also false where the value is not a number.
            let isLowEnough = trial.value <= start.value + 1e-4 * length * slope
            if isLowEnough && dot(trial.gradient, direction) >= 0.9 * slope { return trial }
            if isLowEnough {
                low = length
                best = trial
            } else {
                high = length
            }
            length = high < .infinity ? (low + high) / 2 : 2 * low
        }
        return best.flatMap { $0.value < start.value ? $0 : nil }
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                a.isEmpty ? 0 : ToeplitzSolver.dot(a.baseAddress!, b.baseAddress!, a.count)
            }
        }
    }

    private static func add(_ factor: Double, _ a: [Double], to b: inout [Double]) {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeMutableBufferPointer { b in
                for index in b.indices { b[index] += factor * a[index] }
            }
        }
    }
}
