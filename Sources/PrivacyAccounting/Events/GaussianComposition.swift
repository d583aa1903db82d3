/// Gaussian queries, which compose in closed form: together they are worth one of noise multiplier (Σ z_i⁻²)^(−1/2)
/// (arXiv 1812.06210, section 3).
struct GaussianComposition {
    private var counts: [Double: Int] = [:]

    /// 1/z² of more noise would underflow. It is taken for this much.
    private static let mostNoise = 1e150

    /// Adds `count` queries of noise multiplier z, finite and above 0.
    mutating func add(noiseMultiplier z: Double, count: Int) throws(AccountingError) {
        let z = min(z, Self.mostNoise)
        counts[z] = try Check.sum(counts[z, default: 0], count)
    }

    /// Σ count/z², by ascending z: the order of composition changes no bit of it.
    var inverseVariance: Double {
        counts.keys.sorted().reduce(0) { $0 + Double(counts[$1]!) / $1 / $1 }
    }

    /// μ of the Gaussian mechanism that the queries are together; 0 when there are none.
    func mu(under relation: NeighboringRelation) -> Double {
        relation.sensitivityFactor * inverseVariance.squareRoot()
    }

    /// The loss of all queries together; nil when there are none.
    func loss(under relation: NeighboringRelation) -> LossStep? {
        guard inverseVariance > 0 else { return nil }
        return LossStep([.init(mirrored: GaussianPair(mu: mu(under: relation)))])
    }

    /// α ↦ D_α of all queries together; nil when there are none.
    func renyiDivergence(under relation: NeighboringRelation) -> ((Double) -> Double)? {
        guard inverseVariance > 0 else { return nil }
        let z = 1 / inverseVariance.squareRoot() / relation.sensitivityFactor
        return { RenyiDivergence.gaussian(order: $0, noiseMultiplier: z) }
    }
}
