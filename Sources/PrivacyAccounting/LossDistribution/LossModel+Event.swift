import Foundation

extension LossModel {
    /// Which side of the truth the model must lie on. They differ only where no exact dominating pair is known.
    enum Side {
        case upper, lower
    }

    /// The directions of `relation` for a composition; one where both have the same loss.
    /// - Throws: ``AccountingError/unsupported(event:relation:accountant:)``.
    static func directions(
        _ phases: Phases, relation: NeighboringRelation, side: Side
    ) throws(AccountingError) -> [LossModel] {
        var (forward, backward) = (LossModel(), LossModel())
        var isSymmetric = true
        func add(_ parts: [Part], count: Int, infinityMass: Double = 0) {
            forward.components.append(
                Component(parts: parts.map { ($0.weight, $0.pair) }, count: count, infinityMass: infinityMass))
            backward.components.append(
                Component(parts: parts.map { ($0.weight, $0.mirror) }, count: count, infinityMass: infinityMass))
            isSymmetric = isSymmetric && parts.allSatisfy(\.isMirrored)
        }
        let factor = relation.sensitivityFactor
        if phases.inverseGaussianVariance > 0 {
            let mu = factor * phases.inverseGaussianVariance.squareRoot()
            add([Part(mirrored: SampledGaussianPair(probability: 1, mu: mu))], count: 1)
        }
        for phase in phases.phases {
            switch phase.mechanism {
            case .poissonGaussian(let q, let z) where relation == .replaceOne:
                add([Part(mirrored: ReplacedGaussianPair(probability: q, mu: 1 / z))], count: phase.count)
            case .poissonGaussian(let q, let z):
                add([Part(SampledGaussianPair(probability: q, mu: 1 / z))], count: phase.count)
            case .laplace(let b):
                add([Part(mirrored: SampledLaplacePair(probability: 1, scale: b / factor))], count: phase.count)
            case .truncatedGaussian(let n, let q, let m, let z) where relation != .addOrRemoveOne:
                let truncation = Truncation(datasetSize: n, probability: q, batch: m)
                func sampled(_ rate: Double, weight: Double) -> Part {
                    relation == .replaceOne
                        ? Part(mirrored: ReplacedGaussianPair(probability: rate, mu: 1 / z), weight: weight)
                        : Part(SampledGaussianPair(probability: rate, mu: 1 / z), weight: weight)
                }
                if side == .lower {
                    add([sampled(truncation.participation, weight: 1)], count: phase.count)
                    continue
                }
                let swap = ReplacedGaussianPair(probability: truncation.conditionalParticipation, mu: 2 / z)
                let parts = [
                    sampled(q, weight: truncation.spareProbability),
                    Part(mirrored: swap, weight: truncation.probability),
                ]
                // What is next to impossible is not worth a grid of its own: let it cost everything.
                let likely = parts.filter { $0.weight > BinomialProbability.least }
                let rare = parts.filter { $0.weight <= BinomialProbability.least }
                add(likely, count: phase.count, infinityMass: rare.reduce(0) { $0 + $1.weight })
            default:
                throw .unsupported(
                    event: phase.mechanism.name, relation: relation,
                    accountant: PrivacyLossDistributionAccountant.name)
            }
        }
        return isSymmetric ? [forward] : [forward, backward]
    }

    /// A pair and the one that the other direction sees.
    private struct Part {
        let weight: Double
        let (pair, mirror): (any PrivacyLossPair, any PrivacyLossPair)
        let isMirrored: Bool

        init(_ pair: some PrivacyLossPair, weight: Double = 1) {
            (self.weight, self.pair, mirror, isMirrored) = (weight, pair, ReversedPair(base: pair), false)
        }

        /// A pair whose loss is the same in both directions.
        init(mirrored pair: some PrivacyLossPair, weight: Double = 1) {
            (self.weight, self.pair, mirror, isMirrored) = (weight, pair, pair, true)
        }
    }
}
