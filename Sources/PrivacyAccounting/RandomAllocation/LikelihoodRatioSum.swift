import Foundation

/// The distribution under Q of S = X₁ + … + X_n, a sum of independent likelihood ratios of one Gaussian step,
///
///     X = exp(x/z² − 1/(2z²)),   x ~ N(0, z²) under Q,   E X = 1
///
/// on a geometric grid. S/n is the likelihood ratio of random allocation; the folder's README has the proofs.
///
/// **Guarantee:** a random label J of the outcome, with a value x_J in the grid, is distributed as ``masses`` say, but
/// for a factor within e^{±massError}, and
///
/// - upper side: E[x_J | S] is within a factor e^{±ρ} of S, ρ = ``meanError``, where what is not on the grid has been
///   moved to 0 (``zeroMass``) and to infinity (``excess``);
/// - lower side: e^{−κ₋}·x_J ≤ E[S | J] ≤ e^{κ₊}·x_J for each label that is kept. The others count for nothing.
struct LikelihoodRatioSum {
    let grid: RatioGrid
    let side: LossModel.Side
    /// n.
    let terms: Int
    /// The grid's level.
    let level: Int
    /// The grid indices of labels, ascending.
    private(set) var indices: [Int] = []
    /// Q-mass of each label.
    private(set) var masses: [Double] = []
    /// At least the Q-mass that has been moved to the value 0.
    private(set) var zeroMass: Double
    /// At least what E S has lost on the grid by that.
    private(set) var excess: Double
    /// A bound on |log(mass/exact mass)|.
    let massError: Double
    /// ρ.
    let meanError: Double
    /// κ₋ and κ₊.
    private(set) var (shiftBelow, shiftAbove): (Double, Double)

    /// The grid's spacing.
    var interval: Double { grid.interval(level) }

    /// What is cut off at either end: of Q below, of the measure of ratio S/n to Q above.
    static func tail(_ side: LossModel.Side) -> Double { side == .upper ? 1e-32 : 1e-18 }

    /// A sum of `terms` ≥ 1 ratios, by O(log terms) additions.
    static func of(terms: Int, noiseMultiplier: Double, side: LossModel.Side) -> LikelihoodRatioSum {
        let grid = RatioGrid(noiseMultiplier: noiseMultiplier, terms: terms, side: side)
        var power = LikelihoodRatioSum(grid, side)
        var result: LikelihoodRatioSum?
        var rest = terms
        while true {
            if rest & 1 == 1 { result = result.map { LikelihoodRatioSum($0, power) } ?? power }
            rest >>= 1
            if rest == 0 { return result! }
            power = LikelihoodRatioSum(power, power)
        }
    }

    /// One ratio.
    private init(_ grid: RatioGrid, _ side: LossModel.Side) {
        (self.grid, self.side, terms, level) = (grid, side, 1, grid.level(for: 1))
        let s = 1 / grid.noiseMultiplier
        let h = grid.interval(level)
        // log X = s·y − s²/2 with y ~ N(0, 1) under Q, N(s, 1) under P.
        let reach = Normal.upperQuantile(Self.tail(side)) + s / 2
        let (first, last) = (Int((-reach * s / h).rounded(.down)), Int((reach * s / h).rounded(.up)))
        var labels = RatioLabels(from: first, through: last, deviation: s, interval: h)
        let (bottom, top) = (Double(first) * h / s + s / 2, Double(last) * h / s + s / 2)
        zeroMass = Normal.tails(bottom).below + Normal.tails(top).above
        excess = Normal.tails(bottom - s).below + Normal.tails(top - s).above
        (massError, meanError) = (0x1p-40, 0x1p-40)
        (shiftBelow, shiftAbove) = (0, 0)
        if side == .lower { labels.dropEnds() }
        take(labels)
    }

    /// The sum of two independent sums.
    private init(_ a: LikelihoodRatioSum, _ b: LikelihoodRatioSum) {
        (grid, side, terms) = (a.grid, a.side, a.terms + b.terms)
        level = grid.level(for: terms)
        var labels = RatioLabels(adding: a, b, level: level, interval: grid.interval(level))
        // A product below 2⁻¹⁰²² may be lost.
        let lost = Double(a.masses.count) * Double(b.masses.count) * 0x1p-1021
        let lostValue = lost * labels.largestValue
        let removed = labels.trim(terms: terms, tail: Self.tail(side))
        // Where one of two is at 0 or infinity, the other goes there, too.
        zeroMass = a.zeroMass + b.zeroMass + removed.mass + lost
        excess = a.excess + b.excess + a.zeroMass * Double(b.terms) + b.zeroMass * Double(a.terms)
        excess += removed.value + lostValue
        // As many roundings as a sum has terms, and a few for each product.
        let roundings = Double(a.masses.count + b.masses.count + 64 + 1 << grid.single)
        massError = a.massError + b.massError + roundings * 0x1p-52
        meanError = max(a.meanError, b.meanError) + 0x1p-46
        (shiftBelow, shiftAbove) = (max(a.shiftBelow, b.shiftBelow), max(a.shiftAbove, b.shiftAbove))
        let (grid, terms) = (grid, terms)
        labels.thin(isCovering: side == .upper) { grid.stride(at: $0, terms: terms) }
        if side == .lower { labels.dropEnds() }
        take(labels)
    }

    /// Keeps the labels that have mass, and adds what their means are off.
    private mutating func take(_ labels: RatioLabels) {
        var (below, above) = (0.0, 0.0)
        for (slot, mass) in labels.masses.enumerated() where mass > 0 {
            indices.append(labels.indices[slot])
            masses.append(mass)
            let offset = log1p(max(-1, labels.offsets[slot] / mass))
            (below, above) = (max(below, -offset), max(above, offset))
        }
        // An offset is a sum and difference of parts of the mass.
        shiftBelow += below + 2 * massError + 0x1p-46
        shiftAbove += above + 2 * massError + 0x1p-46
    }
}
