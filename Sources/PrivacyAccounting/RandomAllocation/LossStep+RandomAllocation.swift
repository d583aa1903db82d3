import Foundation

extension LossStep {
    /// One record takes part, with the probability r, in one of the n steps of a `sum` S, chosen uniformly. X = S/n is
    /// the likelihood ratio of the steps' outcomes with the record to those without it if r = 1, and 1 − r + rX in
    /// general.
    ///
    /// **Guarantee:** at least as revealing for the upper side, at most for the lower, in both directions; see the
    /// folder's README.
    init(_ sum: LikelihoodRatioSum, probability r: Double) {
        let logTerms = log(Double(sum.terms))
        let isUpper = sum.side == .upper
        // Directions: whether the record is there in P, or in Q.
        func pair(isRemoved: Bool) -> AtomicPair {
            let shift = isUpper ? sum.meanError : isRemoved ? -sum.shiftBelow : -sum.shiftAbove
            let factor = exp(isUpper ? sum.massError : -sum.massError)
            let atoms = zip(sum.indices, sum.masses).map { index, mass in
                let place = Double(index) * sum.interval
                let base = place - logTerms
                // Roundings of the place, of the functions, and of P's mass.
                let margin = 0x1p-48 * (1 + abs(place) + logTerms)
                let moved = shift + (isUpper ? margin : -margin)
                let loss = isRemoved ? sampled(base + moved) : -sampled(base - moved)
                return AtomicPair.Atom(
                    loss: loss, p: factor * mass * (isRemoved ? exp(loss) : 1),
                    q: factor * mass * (isRemoved ? 1 : exp(-loss)))
            }
            return AtomicPair(isRemoved ? atoms : atoms.reversed())
        }
        func sampled(_ loss: Double) -> Double { r == 1 ? loss : log1p(r * expm1(loss)) }
        // Where the record was moved to 0 or infinity, one direction's loss is infinite.
        let infinite = isUpper ? (sum.zeroMass + sum.excess / Double(sum.terms)) * (1 + 1e-9) : 0
        self.init([Part(pair(isRemoved: true), mirror: pair(isRemoved: false))], infinityMass: infinite)
    }
}
