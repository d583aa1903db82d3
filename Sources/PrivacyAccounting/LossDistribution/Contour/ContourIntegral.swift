import Foundation

/// δ(ε) of a composition of smooth losses, as an integral over the line Re s = θ:
///
///     δ(ε) = 1/2πi ∫ e^{K(s) − sε}/(s(s + 1)) ds,    K(s) = Σ countᵢ·log E_P[e^{sLᵢ}]
///
/// by the trapezoidal rule with spacing 2π/A. By Poisson's summation formula the rule's sum is
///
///     Σ_m e^{θmA}·δ(ε + mA),    m = 0, ±1, ±2, …
///
/// none of which is negative: the sum is an upper end as it is, and a lower end less Chernoff's bounds on the terms
/// with m ≠ 0. θ is near the saddle point, where the integrand falls like a Gaussian, so that some hundred terms do, at
/// any number of steps and for any δ.
///
/// **Guarantee:** ``bounds(epsilon:)`` brackets δ(ε) of the composition. What the sum leaves out at high frequencies is
/// bounded by ``CharacteristicDecay``; what quadrature of one step and rounding can do, by running bounds on both
/// (``LossNodes``), carried through the power.
///
/// The contour is that of arXiv 1712.02150 and 2106.08567 (who leave its errors open); the remainder is bounded here.
struct ContourIntegral {
    /// θ.
    let tilt: Double
    /// K(θ) of all steps, and a bound on its error.
    private let (logMoment, logMomentError): (Double, Double)
    /// The terms at τ_j = j·2π/A: e^{K(θ + iτ) − K(θ)}/(s(s + 1)) as modulus and phase; the first one halved.
    private var terms: [(modulus: Double, phase: Double)] = []
    private let spacing: Double
    /// Bounds on what is added up wrongly or not at all, in units of the sum.
    private var remainder = 0.0
    /// Chernoff's bounds on the terms m > 0 and m < 0: e^{κ ∓ tε}.
    private let (above, below): (Alias, Alias)
    private let infinityMass: Double
    /// Σ of moduli times frequencies: what a rounding of ε moves the sum by.
    private var phaseMoment = 0.0

    private struct Alias {
        var (parameter, logFactor): (Double, Double)
    }

    /// More terms than this say that steps are too few for the integrand to fall.
    private static let mostTerms = 3000
    /// What the remainder and the other periods are to be beside the sum.
    private static let aim = 1e-9

    /// The line through `tilt` for ε near `epsilon`; nil where it would take too many terms. A `periodShare` below 1
    /// makes periods shorter than they should be.
    init?(_ model: SmoothModel, tilt theta: Double, near epsilon: Double, periodShare: Double = 1) {
        tilt = theta
        infinityMass = model.infinityMass
        let coarse = model.components.compactMap { LossNodes($0, tilt: theta, frequency: .leastNormalMagnitude) }
        guard coarse.count == model.components.count else { return nil }
        let decays = zip(model.components, coarse).map {
            CharacteristicDecay($0, tilt: theta, logMoment: $1.cumulant)
        }
        let counts = model.components.map(\.count)
        let gaussian = model.gaussianVariance
        let mean = gaussian * (theta + 0.5) + zip(counts, coarse).reduce(0) { $0 + $1.0 * $1.1.mean }
        let deviation = (gaussian + zip(counts, coarse).reduce(0) { $0 + $1.0 * $1.1.variance }).squareRoot()
        guard mean.isFinite, deviation > 0, deviation.isFinite else { return nil }

        // The sum to expect, by the saddle point.
        let expected = 1 / (theta * (theta + 1) * (deviation * 2.5066 + 1 / theta))
        /// A bound on what frequencies above τ add up to: ∫ |F| dτ/π.
        func tail(_ tau: Double) -> Double {
            let logDecay =
                -0.5 * gaussian * tau * tau
                + zip(counts, decays).reduce(0) { $0 + $1.0 * $1.1.logBound(frequency: tau) }
            return exp(logDecay) / (.pi * tau)
        }
        var last = 4 / deviation
        while tail(last) > Self.aim * expected, last < 1e4 * Double(Self.mostTerms) / deviation { last *= 1.25 }

        // The period: as long as Chernoff's bounds need to be small beside the sum, for ε near the one that is asked.
        func cumulant(_ point: Double) -> Double {
            zip(model.components, counts).reduce(0.5 * gaussian * point * (point + 1)) {
                $0 + $1.1 * (LossNodes($1.0, tilt: point, frequency: 0)?.cumulant ?? .infinity)
            }
        }
        let here = zip(counts, coarse).reduce(0.5 * gaussian * theta * (theta + 1)) { $0 + $1.0 * $1.1.cumulant }
        let logAim = log(Self.aim * expected)
        let margin = 3 * deviation
        var period = 8 * deviation
        var aliases: [Alias] = []
        for sign in [1.0, -1.0] {
            var best: (alias: Alias, period: Double)?
            for factor in [0.5, 1, 2, 4, 7, 11, 16] {
                let t = sign > 0 ? factor / deviation : min(theta, factor / deviation)
                // e^{−θv}(1 − e^{−v}) is at most its peak for m > 0, and e^{−tv} times that of θ − t for m < 0.
                let logPeak = Self.logPeak(sign > 0 ? theta : theta - t)
                // A rounding of K is nothing beside the factor of 2.
                let alias = Alias(parameter: t, logFactor: log(2) + logPeak + cumulant(theta + sign * t) - here)
                let needed = (alias.logFactor - sign * t * (epsilon - sign * margin) - logAim) / t
                if needed.isFinite, needed < best?.period ?? .infinity { best = (alias, needed) }
                if sign < 0, t == theta { break }
            }
            guard let best else { return nil }
            aliases.append(best.alias)
            period = max(period, best.period)
        }
        (above, below) = (aliases[0], aliases[1])
        spacing = 2 * .pi / (period * periodShare)
        let count = (last / spacing).rounded(.up)
        guard count <= Double(Self.mostTerms) else { return nil }

        let lines = model.components.compactMap { LossNodes($0, tilt: theta, frequency: last) }
        guard lines.count == model.components.count else { return nil }
        logMoment = zip(counts, lines).reduce(0.5 * gaussian * theta * (theta + 1)) { $0 + $1.0 * $1.1.cumulant }
        // Of a logarithm: what quadrature did to its argument, and the roundings of exponents up to θ·|L| and of sums.
        logMomentError =
            0x1p-50 * abs(logMoment)
            + zip(counts, lines).reduce(0) {
                $0 + $1.0 * ($1.1.quadratureError + $1.1.roundingError(frequency: 1 + theta, turns: 0))
            }
        var powers = zip(counts, lines).map { NodePower($1, count: $0, spacing: spacing) }
        for j in 0...Int(count) {
            let tau = Double(j) * spacing
            var (log, error) = (Complex(-0.5 * gaussian * tau * tau, gaussian * (theta + 0.5) * tau), 0x1p-48)
            for index in powers.indices {
                let (value, off) = powers[index].next()
                log = log + value
                error += off
            }
            error += 0x1p-50 * (abs(log.im) + abs(log.re))
            // log 1/(s(s + 1)).
            let root = Complex(theta, tau) * Complex(theta + 1, tau)
            let modulus = exp(min(0, log.re)) / root.modulus * (j == 0 ? 0.5 : 1)
            terms.append((modulus, log.im - atan2(root.im, root.re)))
            remainder += modulus * expm1(min(error, 100))
            phaseMoment += modulus * tau * spacing / .pi
        }
        remainder = (remainder + 0x1p-49 * terms.reduce(0) { $0 + $1.modulus }) * spacing / .pi + tail(last)
    }

    /// log max_{y > 0} e^{−θy}(1 − e^{−y}).
    static func logPeak(_ theta: Double) -> Double { theta <= 0 ? 0 : -theta * log1p(1 / theta) - log1p(theta) }

    /// δ(ε), from both sides.
    func bounds(epsilon: Double) -> (lower: Double, upper: Double) {
        var sum = 0.0
        for (index, term) in terms.enumerated() {
            sum += term.modulus * cos(term.phase - Double(index) * spacing * epsilon)
        }
        sum *= spacing / .pi
        // A phase is off by the roundings of both of its terms.
        let error = remainder * (1 + 1e-9) + 0x1p-50 * phaseMoment * abs(epsilon)
        let period = 2 * Double.pi / spacing
        func alias(_ alias: Alias, sign: Double) -> Double {
            exp(alias.logFactor - sign * alias.parameter * epsilon) / expm1(alias.parameter * period)
        }
        let others = alias(above, sign: 1) + alias(below, sign: -1)
        let exponent = logMoment - tilt * epsilon
        let slack = logMomentError + 0x1p-50 * (abs(logMoment) + tilt * abs(epsilon)) + 1e-12
        func scaled(_ value: Double, _ sign: Double) -> Double {
            value > 0 ? exp(log(value) + exponent + sign * slack) : 0
        }
        // The second is Chernoff's bound: Rényi's of order 1 + θ.
        let most = min(log(max(sum + error, 0)), Self.logPeak(tilt)) + exponent + slack
        let upper = exp(most) + infinityMass
        let lower = scaled(sum - error - (others.isFinite ? others : .infinity), -1)
        return (min(1, lower), upper < 1 ? upper : 1)
    }

    /// The ε that Chernoff's bound alone proves at δ.
    func chernoffEpsilon(delta: Double) -> Double {
        guard delta > infinityMass else { return .infinity }
        let slack = logMomentError + 0x1p-50 * abs(logMoment) + 1e-12
        let epsilon = (logMoment + slack + Self.logPeak(tilt) - log(delta - infinityMass)) / tilt
        return max(0, epsilon + 0x1p-50 * abs(epsilon))
    }
}

extension LossNodes {
    /// A bound on the rounding error of Y(τ) after `turns` rotations. Each node's has 2 roundings a turn, relative to a
    /// modulus below τ|L|, and those of its weight; sums of n terms in 8 lanes have n/8 + 8 more.
    func roundingError(frequency: Double, turns: Int) -> Double {
        0x1p-52 * (Double(2 * turns) + 0.125 * Double(losses.count) + 2 * largestExponent + 16) * frequency
            * meanModulus
    }
}

/// count·log(1 + Y(τ)) at τ = 0, h, 2h, …, with bounds on the errors: every node of ``LossNodes`` turns by e^{ihL} from
/// one to the next, as e^{iτL} − 1, which keeps its relative accuracy.
private struct NodePower {
    private let nodes: LossNodes
    private let count: Double
    private let spacing: Double
    private var turns = 0
    private var weights: [SIMD8<Double>]
    private var steps: (re: [SIMD8<Double>], im: [SIMD8<Double>])
    private var state: (re: [SIMD8<Double>], im: [SIMD8<Double>])

    init(_ nodes: LossNodes, count: Double, spacing: Double) {
        (self.nodes, self.count, self.spacing) = (nodes, count, spacing)
        let blocks = (nodes.losses.count + 7) / 8
        weights = [SIMD8<Double>](repeating: .zero, count: blocks)
        let zeros = weights
        (steps, state) = ((zeros, zeros), (zeros, zeros))
        for (index, loss) in nodes.losses.enumerated() {
            let turn = Complex.expm1(Complex(0, spacing * loss))
            weights[index / 8][index % 8] = nodes.weights[index]
            steps.re[index / 8][index % 8] = turn.re
            steps.im[index / 8][index % 8] = turn.im
        }
    }

    mutating func next() -> (log: Complex, error: Double) {
        let tau = Double(turns) * spacing
        var (re, im) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
        for k in weights.indices {
            let (x, y) = (state.re[k], state.im[k])
            re += weights[k] * x
            im += weights[k] * y
            let (u, v) = (steps.re[k], steps.im[k])
            // (1 + z)(1 + w) − 1.
            state.re[k] = x + u + (x * u - y * v)
            state.im[k] = y + v + (x * v + y * u)
        }
        let y = Complex(re.sum(), im.sum() - tau * nodes.rest)
        let off = nodes.quadratureError + nodes.roundingError(frequency: tau, turns: turns)
        turns += 1
        let log = Complex.log1p(y)
        let modulus = Complex(1 + y.re, y.im).modulus
        // Nothing is known of the phase: with log 3 as the error, all of the term counts as one.
        guard off < 0.5 * modulus else {
            return (Complex(min(0, count * Foundation.log(modulus + off))), Foundation.log(3))
        }
        return (count * log, count * (off / modulus * 1.5 + 0x1p-50 * log.modulus))
    }
}
