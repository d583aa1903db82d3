extension LossModel {
    /// The directions of `relation` for a composition; one where both have the same loss.
    /// - Throws: ``AccountingError/unsupported(event:relation:accountant:)``.
    static func directions(
        _ phases: Phases, relation: NeighboringRelation, side: Side
    ) throws(AccountingError) -> [LossModel] {
        var (forward, backward) = (LossModel(), LossModel())
        var isSymmetric = true
        func add(_ step: LossStep, count: Int) {
            forward.components.append(
                Component(
                    parts: step.parts.map { ($0.weight, $0.pair) }, count: count, infinityMass: step.infinityMass))
            backward.components.append(
                Component(
                    parts: step.parts.map { ($0.weight, $0.mirror) }, count: count, infinityMass: step.infinityMass))
            isSymmetric = isSymmetric && step.parts.allSatisfy(\.isMirrored)
        }
        if let gaussians = phases.gaussians.loss(under: relation) { add(gaussians, count: 1) }
        for phase in phases.phases {
            add(try phase.event.analysis.loss(under: relation, side: side), count: phase.count)
        }
        return isSymmetric ? [forward] : [forward, backward]
    }

    /// The largest loss of a composition, ∞ where one of its mechanisms has none, rounded toward `side`.
    static func largestLoss(_ phases: Phases, relation: NeighboringRelation, side: Side) -> Double {
        if phases.gaussians.inverseVariance > 0 { return .infinity }
        return phases.phases.reduce(0) {
            side.sum($0, $1.event.analysis.largestLoss(count: $1.count, under: relation, side: side))
        }
    }
}
