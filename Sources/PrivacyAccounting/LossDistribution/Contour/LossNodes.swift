import Foundation

/// The loss L of one step under the tilted measure e^{θL − K(θ)}dP, as nodes of a quadrature. With Q, a = 1 + θ, and
/// because P and Q sum to 1,
///
///     E_P[e^{θL}] = 1 + X,    X = Σ Q·(e^{aL} − 1 − a(e^L − 1)) − q − a·r,
///     E_P[e^{(θ + iτ)L}] = (1 + X)·(1 + Y(τ)),    Y = Σ w·(e^{iτL} − 1) − iτS,
///     w = Q·e^{aL}/(1 + X),   S = (Σ Q·(e^L − 1) + r)/(1 + X),
///
/// where outcomes of probability q under Q and q + r under P are left out (``SmoothModel``). Every term of the sum is
/// at least 0, outcomes of loss 0 add nothing, and nothing that matters cancels, however small a loss is and however
/// many steps there are.
///
/// The rule is Gauss's of 16 points on panels, which are cut in two until both halves agree with the whole at the
/// highest frequency.
struct LossNodes {
    /// L and w.
    private(set) var losses: [Double] = []
    private(set) var weights: [Double] = []
    /// S.
    private(set) var rest = 0.0
    /// K(θ) = log(1 + X) of one step.
    private(set) var cumulant = 0.0
    /// A bound on the error of X/(1 + X) and of Y by quadrature.
    private(set) var quadratureError = 0.0
    /// Σ w|L| + Σ Q|e^L − 1|/(1 + X): a rounding moves Y by at most τ times so much of it.
    private(set) var meanModulus = 0.0
    /// The largest exponent that a weight is made of: its relative error is as many roundings.
    private(set) var largestExponent = 0.0

    /// The nodes for frequencies up to `frequency`; nil where a number overflows.
    init?(_ component: SmoothModel.Component, tilt: Double, frequency: Double) {
        guard let panels = Self.panels(component, tilt: tilt, order: hypot(1 + tilt, frequency)) else { return nil }
        fill(panels, component, tilt: tilt)
        if frequency > 0 {
            let measure = PanelMeasure(
                tilt: tilt, frequencies: [0, 0.125 * frequency, 0.5 * frequency, frequency], logMoment: cumulant)
            var refined: [Panel] = []
            for panel in panels { measure.refine(panel, count: component.count, depth: 0, into: &refined) }
            fill(refined, component, tilt: tilt)
            quadratureError += 2 * refined.reduce(0) { $0 + $1.error }
        }
        guard cumulant.isFinite, quadratureError.isFinite, meanModulus.isFinite else { return nil }
    }

    /// A stretch of outcomes that gets a rule of its own.
    struct Panel {
        let piece: SmoothPiece
        let (low, high): (Double, Double)
        var error = 0.0

        func halves() -> [Panel] {
            let middle = 0.5 * (low + high)
            return [Panel(piece: piece, low: low, high: middle), Panel(piece: piece, low: middle, high: high)]
        }

        var nodes: [(weight: Double, outcome: SmoothOutcome)] {
            let (middle, half) = (0.5 * (low + high), 0.5 * (high - low))
            return GaussLegendre.points.map { (half * $0.weight, piece.outcome(middle + half * $0.place)) }
        }
    }

    /// Panels no wider than 1, nor than the steepness of a piece allows, without those whose share of the moment is
    /// below 10⁻¹⁸ for all |a| ≤ `order` with Re a = 1 + θ.
    private static func panels(_ component: SmoothModel.Component, tilt: Double, order: Double) -> [Panel]? {
        let logOrder = log(order)
        /// log of a bound on |Q·(e^{aL} − 1 − a(e^L − 1))|.
        func logSize(_ o: SmoothOutcome) -> Double {
            o.logDensity + max(0, o.loss, (1 + tilt) * o.loss)
                + min(log(2 + order), 2 * (logOrder + log(max(abs(o.loss), 1e-300))))
        }
        var candidates: [(panel: Panel, size: Double)] = []
        for piece in component.pieces {
            let length = piece.range.upperBound - piece.range.lowerBound
            let count = Int((length * max(1, 0.5 * piece.steepness)).rounded(.up))
            let width = length / Double(count)
            for k in 0..<count {
                let low = piece.range.lowerBound + Double(k) * width
                let sizes = [low, low + 0.5 * width, low + width].map { logSize(piece.outcome($0)) }
                candidates.append((Panel(piece: piece, low: low, high: low + width), sizes.max()!))
            }
        }
        let largest = candidates.reduce(-Double.infinity) { max($0, $1.size) }
        guard largest > -.infinity, largest < .infinity else { return nil }
        let least = largest - 42 - 2 * (logOrder - log1p(tilt))
        return candidates.filter { $0.size > least }.map(\.panel)
    }

    private mutating func fill(_ panels: [Panel], _ component: SmoothModel.Component, tilt: Double) {
        let nodes = panels.flatMap(\.nodes)
        losses = nodes.map(\.outcome.loss)
        let logs = nodes.map { log($0.weight) + $0.outcome.logDensity + (1 + tilt) * $0.outcome.loss }
        let top = logs.max() ?? 0
        largestExponent = nodes.reduce(0) {
            max($0, abs($1.outcome.logDensity) + abs((1 + tilt) * $1.outcome.loss))
        }
        if top > 30 {
            // The moment is so large that 1 and what is left out are nothing beside it.
            weights = logs.map { exp($0 - top) }
            let sum = weights.reduce(0, +)
            cumulant = top + log(sum)
            for index in weights.indices { weights[index] /= sum }
            quadratureError = 2 * exp(-top) / sum
        } else {
            let rates = nodes.map { $0.weight * exp($0.outcome.logDensity) }
            var excess = CompensatedSum()
            excess.add(component.excessWeight)
            excess.add(-(1 + tilt) * component.excessAbove)
            for node in nodes { excess.add(Self.excess(node.outcome, weight: node.weight, order: 1 + tilt)) }
            let moment = 1 + excess.value
            cumulant = log1p(excess.value)
            weights = logs.map { exp($0) / moment }
            rest = component.excessAbove / moment
            meanModulus = abs(rest)
            for (loss, rate) in zip(losses, rates) {
                rest += rate * expm1(loss) / moment
                meanModulus += rate * abs(expm1(loss)) / moment
            }
        }
        meanModulus += zip(losses, weights).reduce(0) { $0 + abs($1.0) * $1.1 }
    }

    /// Q·(e^{aL} − 1 − a(e^L − 1)) of an outcome times `weight`, for a ≥ 1: at least 0.
    static func excess(_ outcome: SmoothOutcome, weight: Double, order a: Double) -> Double {
        let loss = outcome.loss
        let rate = weight * exp(outcome.logDensity)
        if a * loss > 40 {
            // The powers alone could overflow.
            return max(
                0,
                weight * (exp(outcome.logDensity + a * loss) - a * exp(outcome.logDensity + loss)) + (a - 1) * rate)
        }
        if abs(a * loss) < 0.02, abs(loss) < 0.02 {
            // Σ_{k ≥ 2} (a^k − a)·L^k/k!, to 10 terms.
            var (sum, power, factor) = (0.0, a, loss)
            for k in stride(from: 2.0, through: 10, by: 1) {
                power *= a
                factor *= loss / k
                sum += (power - a) * factor
            }
            return rate * sum
        }
        return rate * max(0, expm1(a * loss) - a * expm1(loss))
    }

    /// The mean of L under the tilted measure.
    var mean: Double { zip(losses, weights).reduce(0) { $0 + $1.0 * $1.1 } - rest }

    /// Its variance.
    var variance: Double {
        let mean = mean
        // What the nodes leave out has a loss of next to nothing.
        return max(0, zip(losses, weights).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } - mean * mean)
    }
}

/// What a panel adds to X and Y, by which it is decided whether it is narrow enough.
private struct PanelMeasure {
    let tilt: Double
    let frequencies: [Double]
    let logMoment: Double

    /// Cuts `panel` in two until its rule and those of its halves agree, and notes by how much they do not.
    func refine(_ panel: LossNodes.Panel, count: Double, depth: Int, into refined: inout [LossNodes.Panel]) {
        let halves = panel.halves()
        let (whole, modulus) = sums(panel)
        let parts = zip(sums(halves[0]).sums, sums(halves[1]).sums).map(+)
        let error = zip(whole, parts).reduce(0) { max($0, ($1.0 - $1.1).modulus) }
        // Narrower panels would not agree better than exponents of some hundred, and sums of them, are rounded.
        if error <= max(1e-12 / count, 0x1p-44 * modulus) || depth == 12 {
            var panel = panel
            panel.error = error
            refined.append(panel)
        } else {
            for half in halves { refine(half, count: count, depth: depth + 1, into: &refined) }
        }
    }

    /// By frequency, and what the terms' moduli sum to.
    private func sums(_ panel: LossNodes.Panel) -> (sums: [Complex], modulus: Double) {
        var sums = frequencies.map { _ in Complex(0) }
        var modulus = 0.0
        for (weight, o) in panel.nodes {
            let tilted = weight * exp(o.logDensity + (1 + tilt) * o.loss - logMoment)
            let plain = weight * exp(o.logDensity - logMoment) * expm1(o.loss)
            modulus += tilted * min(2, frequencies.last! * abs(o.loss)) + frequencies.last! * abs(plain)
            for (index, frequency) in frequencies.enumerated() {
                if frequency == 0 {
                    let share =
                        logMoment > 30
                        ? tilted : exp(-logMoment) * LossNodes.excess(o, weight: weight, order: 1 + tilt)
                    sums[0].re += share
                    modulus += share
                } else {
                    let turn = Complex.expm1(Complex(0, frequency * o.loss))
                    sums[index] = sums[index] + tilted * turn - Complex(0, frequency * plain)
                }
            }
        }
        return (sums, modulus)
    }
}
