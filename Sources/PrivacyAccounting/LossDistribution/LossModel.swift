/// One direction of a whole composition, as the pairs of its steps: what the accountant analyses.
struct LossModel: Sendable {
    struct Component: Sendable {
        /// A mixture of pairs with public choice. Weights of an upper end sum to 1 at least.
        let parts: [(weight: Double, pair: any PrivacyLossPair)]
        let count: Int
        /// What of each step costs everything, beside the parts.
        var infinityMass = 0.0
    }

    var components: [Component] = []

    var steps: Double { components.reduce(0) { $0 + Double($1.count) } }
}
