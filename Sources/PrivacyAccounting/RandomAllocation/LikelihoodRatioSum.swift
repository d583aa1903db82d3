/// The distribution under Q of S = X₁ + … + X_n, a sum of independent likelihood ratios of one Gaussian step,
///
///     X = exp(x/z² − 1/(2z²)),   x ~ N(0, z²) under Q,   E X = 1
///
/// on a geometric grid. S/n is the likelihood ratio of random allocation; RandomAllocation.md has the proofs.
///
/// **Guarantee:** ``masses`` are those of a random label J of the outcome, to a relative e^{±massError}: its Q-mass
/// q_J, and E[S; J]. With x_J the label's value in the grid,
///
/// - E[x_J | S] is within a factor e^{±ρ} of S, ρ = ``meanError``, where what is not on the grid counts as moved to 0
///   (``zeroMass``) and to infinity (``excess``): an upper end;
/// - E[S | J] = E[S; J]/q_J: a lower end.
struct LikelihoodRatioSum {
    let grid: RatioGrid
    /// n.
    let terms: Int
    /// The grid's level.
    let level: Int
    /// The grid indices of labels, ascending.
    let indices: [Int]
    /// Of each label.
    let masses: [RatioLabels.Measure]
    /// At least the Q-mass that has been moved to the value 0.
    let zeroMass: Double
    /// At least what E S has lost on the grid by that.
    let excess: Double
    /// A bound on |log(mass/exact mass)|, and on that of moments.
    let massError: Double
    /// ρ.
    let meanError: Double

    /// The grid's spacing.
    var interval: Double { grid.interval(level) }

    /// What is cut off at either end: of Q below, of the measure of ratio S/n to Q above.
    private static let tail = 1e-32

    /// A sum of `terms` ≥ 1 ratios, by O(log terms) additions.
    static func of(terms: Int, noiseMultiplier: Double) -> LikelihoodRatioSum {
        var power = LikelihoodRatioSum(RatioGrid(noiseMultiplier: noiseMultiplier, terms: terms))
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
    private init(_ grid: RatioGrid) {
        (self.grid, terms, level) = (grid, 1, grid.level(for: 1))
        let s = 1 / grid.noiseMultiplier
        let h = grid.interval(level)
        // log X = s·y − s²/2 with y ~ N(0, 1) under Q, N(s, 1) under P.
        let reach = Normal.upperQuantile(Self.tail) + s / 2
        let (first, last) = (Int((-reach * s / h).rounded(.down)), Int((reach * s / h).rounded(.up)))
        let labels = RatioLabels(from: first, through: last, deviation: s, interval: h)
        (indices, masses) = (labels.indices, labels.masses)
        let (bottom, top) = (Double(first) * h / s + s / 2, Double(last) * h / s + s / 2)
        zeroMass = Normal.tails(bottom).below + Normal.tails(top).above
        excess = Normal.tails(bottom - s).below + Normal.tails(top - s).above
        (massError, meanError) = (0x1p-40, 0x1p-40)
    }

    /// The sum of two independent sums.
    private init(_ a: LikelihoodRatioSum, _ b: LikelihoodRatioSum) {
        let (grid, terms) = (a.grid, a.terms + b.terms)
        (self.grid, self.terms, level) = (grid, terms, grid.level(for: terms))
        var labels = RatioLabels(adding: a, b, level: level, interval: grid.interval(level))
        // A product below 2⁻¹⁰²² may be lost.
        let lost = Double(a.masses.count) * Double(b.masses.count) * 0x1p-1021
        let lostValue = lost * labels.largestValue
        let removed = labels.trim(terms: terms, tail: Self.tail)
        labels.thin { grid.stride(at: $0, terms: terms) }
        (indices, masses) = (labels.indices, labels.masses)
        // Where one of two is at 0 or infinity, the other goes there, too.
        zeroMass = a.zeroMass + b.zeroMass + removed.mass + lost
        let crossed = a.zeroMass * Double(b.terms) + b.zeroMass * Double(a.terms)
        excess = a.excess + b.excess + crossed + removed.value + lostValue
        // As many roundings as a sum has terms, and a few for each product.
        let roundings = Double(2 * (a.masses.count + b.masses.count) + 64 + 1 << grid.single)
        massError = a.massError + b.massError + roundings * 0x1p-52
        meanError = max(a.meanError, b.meanError) + 0x1p-46
    }
}
