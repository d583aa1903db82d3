/// α ↦ D_α of a composition under one relation.
struct RenyiCurve {
    private var terms: [(count: Double, divergence: (Double) -> Double)] = []
    private(set) var isInfinite = false
    var isZero: Bool { !isInfinite && terms.isEmpty }

    init(_ phases: Phases, relation: NeighboringRelation) throws(AccountingError) {
        isInfinite = phases.isNonPrivate
        if let gaussians = phases.gaussians.renyiDivergence(under: relation) { terms.append((1, gaussians)) }
        for phase in phases.phases {
            terms.append((Double(phase.count), try phase.event.analysis.renyiDivergence(under: relation)))
        }
    }

    func callAsFunction(_ order: Double) -> Double {
        terms.reduce(0) { $0 + $1.count * $1.divergence(order) }
    }
}
