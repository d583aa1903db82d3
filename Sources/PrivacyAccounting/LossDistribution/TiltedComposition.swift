import Foundation

/// The sum of many independent discrete losses, computed where it matters.
///
/// δ(ε) lives in the upper tail of the total loss X, far below the rounding error of a Fourier transform of its
/// distribution. So every loss is tilted first, p̃ⱼ = pⱼ·e^{θjh − K(θ)}, with θ such that the tilted sum centres near
/// the ε of interest (the saddle point); the transform is taken of that, raised to the powers of the counts, inverted,
/// and untilted:
///
///     δ(ε) = e^{K_T − θr} Σ_{x > ε} P̃(x)·e^{−θ(x − r)}·(1 − e^{ε − x}),   K_T = Σ countᵢ·Kᵢ(θ)
///
/// Round-off is then small relative to δ itself, for δ = 1e−5 as for 1e−100, and every source of it is bounded:
/// the transform's error through the powers (`entryError`), mass outside the window by Chernoff's inequality
/// (`mass above`, `mass below`), and the rest by a relative inflation.
struct TiltedComposition {
    let interval: Double
    let tilt: Double
    /// Grid index of `masses[0]`.
    let first: Int
    /// The tilted distribution of the sum, entries clamped to be non-negative.
    let masses: [Double]
    /// K_T − θr and the reference point r.
    let (logScale, reference): (Double, Double)
    /// A bound on the absolute error of each entry of `masses`.
    let entryError: Double
    /// Bounds on the tilted mass outside the window.
    let (massAbove, massBelow): (Double, Double)
    /// P-probability that any of the losses is infinite, at most.
    let infinityMass: Double
    /// The sum of the largest finite losses. Above it only ``infinityMass`` is left.
    let largestLoss: Double
    /// Relative error of everything not listed above.
    let relativeError: Double

    struct Part {
        let loss: DiscreteLoss
        let count: Int
    }

    init(
        _ parts: [Part], interval h: Double, tilt theta: Double, guide: CumulantGuide, limit: Int
    ) throws(AccountingError) {
        interval = h
        tilt = theta
        let moments = parts.map { TiltedMoments($0.loss, interval: h, tilt: theta) }
        let centres = moments.map { Int(($0.mean / h).rounded()) }
        let total = zip(parts, moments).reduce((cumulant: 0.0, mean: 0.0)) {
            let count = Double($1.0.count)
            return ($0.cumulant + count * $1.1.cumulant, $0.mean + count * $1.1.mean)
        }
        reference = total.mean
        logScale = total.cumulant - theta * total.mean
        infinityMass = parts.reduce(0) { $0 + Double($1.count) * $1.loss.infinityMass } * (1 + 1e-9)

        let window = Window(parts, interval: h, tilt: theta, cumulant: total.cumulant, guide: guide)
        largestLoss = window.largestLoss
        (massAbove, massBelow) = (window.massAbove, window.massBelow)
        let needed = window.high / h - window.low / h + 3
        guard needed < Double(limit) else {
            throw .tooLarge(what: "the composition", size: "\(needed) points", limit: "\(limit)")
        }
        let length = FourierTransform.goodLength(atLeast: Int(needed))
        first = Int((window.low / h).rounded(.down))
        // Sums Σ w(x) and Σ w(x)·e^{ε − x} are subtracted from each other. Each errs by at most 5·2⁻⁵³ per slot that a
        // weight has travelled, (x − ε)/h slots, and the difference keeps at least (1 − 1/e)·min(x − ε, 1) of a weight.
        let rounding = 0x1p-49 * max(1 / h, Double(length))
        relativeError = expm1(TiltedMoments.logError(parts, interval: h, tilt: theta) + rounding)

        var power = SpectralPower(length: length)
        for index in parts.indices {
            let wrapped = moments[index].wrapped(
                parts[index].loss, interval: h, tilt: theta, centre: centres[index], length: length)
            power.multiply(by: FourierTransform.ofLength(length).forward(wrapped), count: parts[index].count)
        }
        let (sum, error) = power.inverse()
        entryError = error
        // The entry for grid index k lies at (k − Σ countᵢ·centreᵢ) mod length.
        let origin = zip(parts, centres).reduce(0) { ($0 + ($1.0.count % length) * ($1.1 % length)) % length }
        let shift = (((first % length) - origin) % length + length) % length
        masses = [Double](unsafeUninitializedCapacity: length) { buffer, count in
            for k in 0..<length {
                let slot = k + shift
                buffer[k] = max(0, sum[slot < length ? slot : slot - length])
            }
            count = length
        }
    }

    /// A bound on Σ over the window of errorⱼ·g(xⱼ) and on mass misplaced by the window, for g the untilted weight
    /// e^{−θ(x − r)}(1 − e^{ε − x}) of x > ε. `decay` is e^{−θ(ε − r)}.
    func error(decay: Double, misplaced: Double) -> Double {
        let integral = tilt == 0 ? .infinity : 1 / (tilt * (1 + tilt) * interval)
        return decay * (misplaced * peak + entryError * min(Double(masses.count) * peak, integral + peak))
    }

    /// max_{y > 0} e^{−θy}(1 − e^{−y}) = (θ/(1 + θ))^θ/(1 + θ), attained at y = log(1 + 1/θ).
    var peak: Double { tilt == 0 ? 1 : exp(-tilt * log1p(1 / tilt)) / (1 + tilt) }
}

/// K(θ) of one loss, and the mean of its tilted version.
struct TiltedMoments {
    private(set) var (cumulant, mean) = (0.0, 0.0)

    init(_ loss: DiscreteLoss, interval h: Double, tilt: Double) {
        let anchor = Self.anchor(loss, h, tilt)
        var (sum, firstMoment) = (CompensatedSum(), 0.0)
        let origin = (Double(loss.first) + 0.5 * Double(loss.masses.count)) * h
        for (slot, mass) in loss.masses.enumerated() where mass > 0 {
            let x = Double(loss.first + slot) * h
            let weight = mass * exp(tilt * x - anchor)
            sum.add(weight)
            firstMoment += weight * (x - origin)
        }
        cumulant = anchor + log(sum.value)
        mean = origin + firstMoment / sum.value
    }

    /// A bound on the error of Σ countᵢ·Kᵢ(θ), and of the logarithm of a product of as many tilted masses.
    ///
    /// An exponent θx − anchor is off by at most 4 roundings of the largest |θx|, `reach`. The exponential, the
    /// compensated sum and the logarithm add a few roundings more. So one step errs by less than 2⁻⁵⁰·reach + 2⁻⁴⁶;
    /// 10⁻¹² per step, and 10⁻⁹ for what is computed once, leave room.
    static func logError(_ parts: [TiltedComposition.Part], interval h: Double, tilt: Double) -> Double {
        parts.reduce(1e-9) { $0 + Double($1.count) * (1e-12 + 0x1p-50 * reach($1.loss, h, tilt)) }
    }

    /// log Σ pⱼ·e^{θjh} alone.
    static func cumulant(_ loss: DiscreteLoss, interval h: Double, tilt: Double) -> Double {
        let anchor = anchor(loss, h, tilt)
        var sum = CompensatedSum()
        for (slot, mass) in loss.masses.enumerated() where mass > 0 {
            sum.add(mass * exp(tilt * Double(loss.first + slot) * h - anchor))
        }
        return anchor + log(sum.value)
    }

    /// The largest |θx| on the grid of `loss`.
    private static func reach(_ loss: DiscreteLoss, _ h: Double, _ tilt: Double) -> Double {
        max(abs(Double(loss.first)), abs(Double(loss.last))) * h * abs(tilt)
    }

    /// A number near the largest exponent, so that exp neither overflows nor loses everything.
    private static func anchor(_ loss: DiscreteLoss, _ h: Double, _ tilt: Double) -> Double {
        // Nearly all mass is in a loss, unless next to nothing of it has survived rounding.
        guard reach(loss, h, tilt) > 300 || !loss.masses.contains(where: { $0 > 1e-100 }) else { return 0 }
        var best = -Double.infinity
        for slot in stride(from: 0, to: loss.masses.count, by: 1) where loss.masses[slot] > 0 {
            best = max(best, log(loss.masses[slot]) + tilt * Double(loss.first + slot) * h)
        }
        return best
    }

    /// The tilted masses, indexed from `centre` and wrapped around `length`.
    func wrapped(_ loss: DiscreteLoss, interval h: Double, tilt: Double, centre: Int, length: Int) -> [Double] {
        var result = [Double](repeating: 0, count: length)
        var slot = ((loss.first - centre) % length + length) % length
        for (index, mass) in loss.masses.enumerated() {
            if mass > 0 { result[slot] += mass * exp(tilt * Double(loss.first + index) * h - cumulant) }
            slot = slot + 1 == length ? 0 : slot + 1
        }
        return result
    }
}

/// The stretch of total losses that is computed, and what may lie outside, by Chernoff's inequality:
/// P̃(X ≥ U) ≤ exp(K_T(θ + t) − K_T(θ) − tU).
struct Window {
    let (low, high): (Double, Double)
    let (massBelow, massAbove): (Double, Double)
    /// The sum of the largest losses, rounded up.
    let largestLoss: Double

    static let tail = 1e-11

    init(
        _ parts: [TiltedComposition.Part], interval h: Double, tilt: Double, cumulant: Double, guide: CumulantGuide
    ) {
        let logTail = -log(Self.tail)
        let supportLow = parts.reduce(0.0) { $0 + Double($1.count) * Double($1.loss.first) * h }
        let supportHigh = parts.reduce(0.0) { $0 + Double($1.count) * Double($1.loss.last) * h }
        var (low, high) = (-Double.infinity, Double.infinity)
        for sign in [1.0, -1.0] {
            // The guide proposes t; the bound itself is taken of the distributions that are composed.
            let t = sign * guide.chernoffParameter(tilt: tilt, sign: sign, logTail: logTail)
            let moved = parts.reduce(0.0) {
                $0 + Double($1.count) * TiltedMoments.cumulant($1.loss, interval: h, tilt: tilt + t)
            }
            let error =
                TiltedMoments.logError(parts, interval: h, tilt: tilt)
                + TiltedMoments.logError(parts, interval: h, tilt: tilt + t)
            let edge = (moved - cumulant + error + logTail) / t
            // NaN fails both comparisons and leaves the support as the limit.
            if sign > 0, edge < high { high = edge }
            if sign < 0, edge > low { low = edge }
        }
        (self.low, massBelow) = low > supportLow ? (low, Self.tail) : (supportLow, 0)
        (self.high, massAbove) = high < supportHigh ? (high, Self.tail) : (supportHigh, 0)
        largestLoss = supportHigh + 0x1p-50 * abs(supportHigh)
    }
}
