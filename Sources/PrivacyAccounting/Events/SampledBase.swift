/// What is done to a sample, as one pair for each direction of a relation: what sampling amplifies.
struct SampledBase {
    /// The pair that one direction sees, and that the other sees.
    let (pair, mirror): (any PrivacyLossPair, any PrivacyLossPair)
    /// What costs everything, beside the pairs.
    let infinityMass: Double

    /// Of what `event` does to a sample, a composition that is not empty.
    ///
    /// For the lower side of several mechanisms it is one of them, which is post-processing: a Gaussian, if there is.
    ///
    /// Throws for a mechanism inside that depends on how many records there are: a sample has another number of them
    /// than the mechanism was told.
    init(
        _ phases: Phases, of event: any EventAnalysis, under relation: NeighboringRelation, side: LossModel.Side
    ) throws(AccountingError) {
        for phase in phases.phases {
            switch phase.event {
            case .truncatedPoissonSampledGaussian, .sampledWithoutReplacement, .sampledWithReplacement:
                throw event.unsupported(by: PrivacyLossDistributionAccountant.self, under: relation)
            default: break
            }
        }
        var steps: [(step: LossStep, count: Int)] = []
        if let gaussians = phases.gaussians.loss(under: relation) { steps.append((gaussians, 1)) }
        for phase in phases.phases {
            steps.append((try phase.event.analysis.loss(under: relation, side: side), phase.count))
        }
        if side == .lower, let first = steps.first { steps = [(first.step, 1)] }
        if steps.count == 1, steps[0].count == 1 {
            let step = steps[0].step
            pair = Self.mixed(step.parts.map { ($0.weight, $0.pair) })
            mirror = Self.mixed(step.parts.map { ($0.weight, $0.mirror) })
            infinityMass = step.infinityMass
            return
        }
        let models = try LossModel.directions(phases, relation: relation, side: side).map {
            CellQuery($0, side: side).distribution()
        }
        (pair, mirror) = (models[0].pair, models.last!.pair)
        infinityMass = models.reduce(0) { max($0, $1.infinityMass) }
    }

    private static func mixed(_ parts: [(weight: Double, pair: any PrivacyLossPair)]) -> any PrivacyLossPair {
        parts.count == 1 && parts[0].weight == 1 ? parts[0].pair : MixedPair(parts: parts)
    }
}

extension LossStep {
    /// What says nothing: a lower end where none is proven.
    static let nothing = LossStep([Part(mirrored: AtomicPair.nothing)])

    /// A mechanism on a Poisson batch of rate q, for removing one record and for adding it.
    init(_ base: SampledBase, poisson q: Double) {
        // What adding a record does is the reverse of removing it, before sampling and after.
        let mirror: any PrivacyLossPair = ReversedPair(
            base: SubsampledPair(ReversedPair(base: base.mirror), probability: q))
        self.init(
            [Part(SubsampledPair(base.pair, probability: q), mirror: mirror)], infinityMass: base.infinityMass)
    }

    /// A mechanism on a sample that holds a record with probability γ, for a symmetric relation.
    ///
    /// **Guarantee:** for two samples that differ in one record where the data do, and for ε ≥ 0,
    /// δ′(log(1 + γ(e^ε − 1))) ≤ γ·δ(ε), in both directions (arXiv 1807.01647, theorems 9 and 10).
    init(_ base: SampledBase, symmetric gamma: Double) {
        self.init(
            [Part(mirrored: SymmetrizedPair(SubsampledPair(base.pair, probability: gamma)))],
            infinityMass: base.infinityMass)
    }
}

extension PrivacyEvent {
    /// Whether a mechanism gets all records that there are, and does not draw of them.
    var isOnAllRecords: Bool {
        if case .laplace = self { true } else { false }
    }
}
