import Foundation

/// One direction of a whole composition, as pairs to be discretised: what the accountant analyses.
struct LossModel: Sendable {
    struct Component: Sendable {
        /// A mixture of pairs with public choice. Weights of an upper end sum to 1 at least.
        let parts: [(weight: Double, pair: any PrivacyLossPair)]
        let count: Int
        /// What of each step costs everything, beside the parts.
        var infinityMass = 0.0
    }

    var components: [Component] = []

    var steps: Double { components.reduce(0) { $0 + Double($1.count) } }

    /// The distributions on the grid {i·h}.
    func discretized(
        interval: Double, tail: Double, isOptimistic: Bool, limit: Int
    ) throws(AccountingError) -> [TiltedComposition.Part] {
        var result: [TiltedComposition.Part] = []
        for component in components {
            var losses: [(weight: Double, loss: DiscreteLoss)] = []
            for (weight, pair) in component.parts where weight > 0 {
                let range = try GridRange(of: pair, interval: interval, tail: tail, limit: limit)
                let loss =
                    isOptimistic
                    ? DiscreteLoss.optimistic(pair, range: range, interval: interval)
                    : DiscreteLoss.pessimistic(pair, range: range, interval: interval)
                losses.append((weight, loss))
            }
            var loss = DiscreteLoss.mixture(losses)
            loss.infinityMass += component.infinityMass + loss.removeTraces()
            if isOptimistic { loss.infinityMass = 0 }
            result.append(TiltedComposition.Part(loss: loss, count: component.count))
        }
        return result
    }
}

/// K_T(θ) of a model by coarse quadrature: where to centre, how fine to discretise. Decides speed and width of the
/// bracket, never validity.
struct CumulantGuide {
    private let components: [(losses: [Double], logMasses: [Double], count: Double)]

    /// Losses with a tail below `tail` on either side are left out, as the grid leaves them out.
    init(_ model: LossModel, tail: Double) {
        components = model.components.map { component in
            var losses: [Double] = []
            var masses: [Double] = []
            for (weight, pair) in component.parts where weight > 0 {
                for node in pair.guideNodes() where node.p > 0 {
                    let tails = pair.tails(at: node.loss)
                    guard max(tails.pAbove, node.p) >= tail, max(tails.pBelow, node.p) >= tail else { continue }
                    losses.append(node.loss)
                    masses.append(weight * node.p)
                }
            }
            let total = masses.reduce(0, +)
            return (losses, masses.map { log($0 / total) }, Double(component.count))
        }
    }

    func cumulant(_ theta: Double) -> Double {
        components.reduce(0) { result, component in
            var top = -Double.infinity
            for (loss, logMass) in zip(component.losses, component.logMasses) {
                top = max(top, logMass + theta * loss)
            }
            var sum = 0.0
            for (loss, logMass) in zip(component.losses, component.logMasses) {
                let exponent = logMass + theta * loss - top
                if exponent > -40 { sum += exp(exponent) }
            }
            return result + component.count * (top + log(sum))
        }
    }

    /// A tilt, the ε and the log δ that go with it.
    struct Choice {
        var (tilt, epsilon, logDelta): (Double, Double, Double)
    }

    /// The θ = α − 1 whose Rényi bound gives the least ε at δ.
    func choice(delta: Double) -> Choice {
        func epsilon(_ theta: Double) -> Double {
            (cumulant(theta) - log(delta) - log1p(theta)) / theta - log1p(1 / theta)
        }
        let theta = Self.minimize(epsilon)
        return Choice(tilt: theta, epsilon: max(0, epsilon(theta)), logDelta: log(delta))
    }

    /// The θ whose Rényi bound gives the least δ at ε; 0 when ε lies below the mean loss.
    func choice(epsilon: Double) -> Choice {
        func logDelta(_ theta: Double) -> Double {
            cumulant(theta) - theta * epsilon - theta * log1p(1 / theta) - log1p(theta)
        }
        let theta = Self.minimize(logDelta)
        let least = logDelta(theta)
        return least < -1
            ? Choice(tilt: theta, epsilon: epsilon, logDelta: least)
            : Choice(tilt: 0, epsilon: epsilon, logDelta: min(0, least))
    }

    /// The t > 0 for which Chernoff's bound on the mass of the tilted sum beyond one side is tightest.
    func chernoffParameter(tilt: Double, sign: Double, logTail: Double) -> Double {
        let here = cumulant(tilt)
        return Self.minimize { (cumulant(tilt + sign * $0) - here + logTail) / $0 }
    }

    /// The least point of a scan over θ in [10⁻⁴, 10⁵], and on to 10¹⁵ while that lowers the value, refined by golden
    /// section in log θ. Losses of a single step as small as 10⁻⁸ ask for θ as large as 10¹⁰.
    private static func minimize(_ value: (Double) -> Double) -> Double {
        func cost(_ logTheta: Double) -> Double {
            let result = value(exp(logTheta))
            return result.isNaN ? .infinity : result
        }
        let step = log(10.0) / 3
        let scan = (-12...15).map { (logTheta: Double($0) * step, cost: cost(Double($0) * step)) }
        var (best, least) = scan.min { $0.cost < $1.cost }!
        if best == scan.last!.logTheta {
            for index in 16...45 {
                let next = Double(index) * step
                let value = cost(next)
                guard value < least else { break }
                (best, least) = (next, value)
            }
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
