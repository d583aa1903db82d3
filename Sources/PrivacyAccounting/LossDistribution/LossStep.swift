/// The privacy loss of one run of a mechanism, in both directions of a neighbouring relation.
struct LossStep {
    /// A mixture with public choice. Weights of an upper end sum, with the mass at infinity, to 1 at least.
    let parts: [Part]
    /// What costs everything, beside the parts.
    let infinityMass: Double

    init(_ parts: [Part], infinityMass: Double = 0) {
        self.parts = parts
        self.infinityMass = infinityMass
    }

    /// A pair and the one that the other direction sees.
    struct Part {
        let weight: Double
        let (pair, mirror): (any PrivacyLossPair, any PrivacyLossPair)
        let isMirrored: Bool

        init(_ pair: some PrivacyLossPair, weight: Double = 1) {
            (self.weight, self.pair, mirror, isMirrored) = (weight, pair, ReversedPair(base: pair), false)
        }

        /// A pair, and what stands for the other direction.
        init(_ pair: some PrivacyLossPair, mirror: some PrivacyLossPair) {
            (weight, self.pair, self.mirror, isMirrored) = (1, pair, mirror, false)
        }

        /// A pair whose loss is the same in both directions.
        init(mirrored pair: some PrivacyLossPair, weight: Double = 1) {
            (self.weight, self.pair, mirror, isMirrored) = (weight, pair, pair, true)
        }
    }
}
