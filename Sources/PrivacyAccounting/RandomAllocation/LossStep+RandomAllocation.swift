import Foundation

extension LossStep {
    /// One record takes part, with the probability r, in one of the n steps of a `sum` S, chosen uniformly. X = S/n is
    /// the likelihood ratio of the steps' outcomes with the record to those without it if r = 1, and 1 − r + rX in
    /// general.
    ///
    /// **Guarantee:** at least as revealing for the upper side, at most for the lower, in both directions; see the
    /// article RandomAllocation.md.
    init(_ sum: LikelihoodRatioSum, probability r: Double, side: LossModel.Side) {
        let isUpper = side == .upper
        let logTerms = log(Double(sum.terms))
        let factor = exp(isUpper ? sum.massError : -sum.massError)
        // Directions: whether the record is there in P, or in Q.
        func pair(isRemoved: Bool) -> AtomicPair {
            var atoms: [AtomicPair.Atom] = []
            for (index, measure) in zip(sum.indices, sum.masses) where measure.mass > 0 && measure.moment > 0 {
                let place = Double(index) * sum.interval
                // E[S | J] is off by the errors of mass and moment.
                let base = (isUpper ? place : log(measure.moment / measure.mass)) - logTerms
                let error = isUpper ? sum.meanError : 2 * sum.massError
                // Roundings of the place, of the functions, and of P's mass.
                let margin = error + 0x1p-48 * (1 + abs(place) + logTerms)
                let moved = isUpper == isRemoved ? base + margin : base - margin
                let loss = GaussianPair.sampledLoss(moved, probability: r)
                let mass = factor * measure.mass
                atoms.append(
                    isRemoved
                        ? AtomicPair.Atom(loss: loss, p: mass * exp(loss), q: mass)
                        : AtomicPair.Atom(loss: -loss, p: mass, q: mass * exp(loss)))
            }
            return AtomicPair(atoms.sorted { $0.loss < $1.loss })
        }
        // Where the record was moved to 0 or infinity, one direction's loss is infinite.
        let infinite = isUpper ? (sum.zeroMass + sum.excess / Double(sum.terms)) * (1 + 1e-9) : 0
        self.init([Part(pair(isRemoved: true), mirror: pair(isRemoved: false))], infinityMass: infinite)
    }
}
