import Foundation

/// K_T(θ) of a model by coarse quadrature: where the line of a contour runs, how wide cells may be. Decides speed and
/// width of the bracket, never validity.
struct CumulantGuide {
    private struct Node {
        let outcome: SmoothOutcome
        /// The probability of losses at least as far out.
        let tail: Double
    }

    private var components: [(nodes: [Node], count: Double)]

    /// Losses with a tail below `tail` on either side are left out.
    init(_ model: LossModel, tail: Double) {
        components = model.components.map { component in
            var nodes: [Node] = []
            for (weight, pair) in component.parts where weight > 0 {
                for node in pair.guideNodes() where node.p > 0 {
                    let tails = pair.tails(at: node.loss)
                    let tail = min(max(tails.pAbove, node.p), max(tails.pBelow, node.p))
                    let logDensity = log(weight * node.p) - node.loss
                    nodes.append(
                        Node(outcome: SmoothOutcome(loss: node.loss, logDensity: logDensity, slope: 0), tail: tail))
                }
            }
            return (nodes, Double(component.count))
        }
        self = limited(tail: tail)
    }

    /// The same without losses whose tail is below `tail`.
    func limited(tail: Double) -> CumulantGuide {
        var guide = self
        guide.components = components.map { component in
            (component.nodes.filter { $0.tail >= tail }, component.count)
        }
        return guide
    }

    /// K(θ) of all steps: log(1 + X) with X as in ``LossNodes``.
    func cumulant(_ theta: Double) -> Double {
        components.reduce(0) { result, component in
            let top = component.nodes.reduce(0) {
                max($0, $1.outcome.logDensity + (1 + theta) * $1.outcome.loss)
            }
            if top > 30 {
                let sum = component.nodes.reduce(0) {
                    $0 + exp($1.outcome.logDensity + (1 + theta) * $1.outcome.loss - top)
                }
                return result + component.count * (top + log(sum))
            }
            let excess = component.nodes.reduce(0) {
                $0 + LossNodes.excess($1.outcome, weight: 1, order: 1 + theta)
            }
            return result + component.count * log1p(excess)
        }
    }

    /// About log δ(ε) of `steps` steps: Rényi's bound without losses of some tail, and that tail beside it, at the best
    /// of some tails. Where single large losses make up δ(ε), that is far below Rényi's bound alone.
    func logDelta(epsilon: Double, steps: Double) -> Double {
        var best = 0.0
        for power in stride(from: 8.0, through: 296, by: 12) {
            let tail = pow(10, -power) / steps
            let bound = limited(tail: tail).renyiLogDelta(epsilon: epsilon)
            best = min(best, max(bound, -power * log(10)) + 0.7)
            // A lower tail leaves less out, so that Rényi's bound only grows.
            if bound > best + 3 { break }
        }
        return best
    }

    /// The θ = α − 1 whose Rényi bound gives the least ε at δ, and that ε.
    func choice(delta: Double) -> (tilt: Double, epsilon: Double) {
        func epsilon(_ theta: Double) -> Double {
            (cumulant(theta) - log(delta) - log1p(theta)) / theta - log1p(1 / theta)
        }
        let theta = Self.minimize(epsilon)
        return (theta, max(0, epsilon(theta)))
    }

    /// log δ(ε) by the best Rényi bound.
    private func renyiLogDelta(epsilon: Double) -> Double {
        func logDelta(_ theta: Double) -> Double {
            cumulant(theta) - theta * epsilon - theta * log1p(1 / theta) - log1p(theta)
        }
        return min(0, logDelta(Self.minimize(logDelta)))
    }

    /// The θ at which e^{K(s) − sε}/(s(s + 1)) has its saddle point.
    func saddle(epsilon: Double) -> Double {
        Self.minimize { cumulant($0) - $0 * epsilon - log($0) - log1p($0) }
    }

    /// The least point of a scan over θ in [10⁻⁴, 10⁵], and on to 10⁻¹² or 10¹⁹ while that lowers the value, refined by
    /// golden section in log θ. Losses of a single step as small as 10⁻⁸ ask for θ as large as 10¹⁰.
    private static func minimize(_ value: (Double) -> Double) -> Double {
        func cost(_ logTheta: Double) -> Double {
            let result = value(exp(logTheta))
            return result.isNaN ? .infinity : result
        }
        let step = log(10.0) / 3
        let scan = (-12...15).map { (logTheta: Double($0) * step, cost: cost(Double($0) * step)) }
        var (best, least) = scan.min { $0.cost < $1.cost }!
        let beyond = best == scan.last!.logTheta ? 16...57 : best == scan.first!.logTheta ? 13...36 : 0...0
        for index in beyond where index > 0 {
            let next = (best > 0 ? 1 : -1) * Double(index) * step
            let value = cost(next)
            guard value < least else { break }
            (best, least) = (next, value)
        }
        let golden = (5.0.squareRoot() - 1) / 2
        var (low, high) = (best - step, best + step)
        while high - low > 0.05 {
            let (left, right) = (high - golden * (high - low), low + golden * (high - low))
            if cost(left) <= cost(right) { high = right } else { low = left }
        }
        return exp(0.5 * (low + high))
    }
}
