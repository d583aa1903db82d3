import Foundation

/// Gaussian noise on each of t steps, k of which, chosen uniformly, a record takes part in: random allocation (arXiv
/// 2502.08202, 2602.17284), balls in bins (arXiv 2412.16802). With k ≤ 1, it takes part with a probability r only.
///
/// Analysed by its loss distribution under every relation. Under replace-one, and by a Rényi accountant under every
/// relation, it is taken for known when a record takes part, if it does: the analysis counts participations.
///
/// For k > 1 the t steps are parted at random into k blocks of ⌊t/k⌋ or ⌈t/k⌉, in each of which the record takes part
/// once. That is the same law, and knowing the blocks can only help. What is composed is the blocks.
public struct RandomAllocatedEvent: EventAnalysis {
    /// t, at least 0.
    public let steps: Int
    /// k, in 0...t.
    public let participations: Int
    /// r, in [0, 1]; 1 where k > 1.
    public let probability: Double
    /// z, in [0, ∞].
    public let noiseMultiplier: Double
    /// How many steps the lower end takes a block to have; nil for what is not one of several blocks.
    private var blockSize: Int?

    static let kind = PrivacyEvent.Kind.randomAllocated
    var asPrivacyEvent: PrivacyEvent { .randomAllocated(self) }
    var name: String {
        "a Gaussian of noise multiplier \(noiseMultiplier) on \(steps) steps, \(participations) of which hold a record"
            + (probability < 1 ? " with probability \(probability)" : "")
    }

    private enum CodingKeys: CodingKey {
        case steps, participations, probability, noiseMultiplier
    }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless t ≥ 0, k is in 0...t, r in [0, 1], r = 1
    ///   where k > 1, and z in [0, ∞].
    public init(
        steps: Int, participations: Int, probability: Double = 1, noiseMultiplier: Double
    ) throws(AccountingError) {
        self.steps = try Check.count(steps, "steps")
        guard (0...steps).contains(participations) else {
            throw .outOfRange(name: "participations", value: "\(participations)", allowed: "in 0...\(steps)")
        }
        self.participations = participations
        self.probability = try Check.probability(probability, "probability")
        guard participations <= 1 || probability == 1 else {
            throw .outOfRange(name: "probability", value: "\(probability)", allowed: "1 for several participations")
        }
        self.noiseMultiplier = try Check.nonNegative(noiseMultiplier, "noiseMultiplier")
    }

    /// Reads the numbers and checks them.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            steps: box.decode(Int.self, forKey: .steps),
            participations: box.decode(Int.self, forKey: .participations),
            probability: box.decode(Double.self, forKey: .probability),
            noiseMultiplier: box.decode(Double.self, forKey: .noiseMultiplier))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        if participations == 0 || probability == 0 { return }
        if participations == steps, probability == 1 {
            return try phases.addGaussian(noiseMultiplier: noiseMultiplier, count: Check.product(count, steps))
        }
        let (least, larger) = steps.quotientAndRemainder(dividingBy: participations)
        let sizes = [(least, participations - larger)] + (larger > 0 ? [(least + 1, larger)] : [])
        for (size, number) in sizes {
            var block = try RandomAllocatedEvent(
                steps: size, participations: 1, probability: probability, noiseMultiplier: noiseMultiplier)
            if participations > 1 { block.blockSize = larger > 0 ? least + 1 : least }
            try phases.addMechanism(
                block.asPrivacyEvent, noiseMultiplier: noiseMultiplier, count: Check.product(count, number))
        }
    }

    /// That of the participation, whose step may be known: a mixture over steps. Under replace-one it is certain.
    func renyiDivergence(under relation: NeighboringRelation) -> (Double) -> Double {
        let (r, z) = (probability, noiseMultiplier / relation.sensitivityFactor)
        return r == 1 || relation == .replaceOne
            ? { RenyiDivergence.gaussian(order: $0, noiseMultiplier: z) }
            : { RenyiDivergence.poissonGaussian(order: $0, probability: r, noiseMultiplier: z) }
    }

    func loss(under relation: NeighboringRelation, side: LossModel.Side) -> LossStep {
        let isKnown = relation == .replaceOne || !isOnGrid
        if side == .upper ? isKnown || steps == 1 : steps == 1 && blockSize == nil {
            return knownStep(under: relation, noiseMultiplier: noiseMultiplier)
        }
        // A record that contributes nothing is one of those that another is replaced by: hence the relation.
        if side == .lower, blockSize != nil || steps > Self.mostSteps {
            // The sum of all t outcomes is N(k, tz²) against N(0, tz²); of k blocks of n, N(1, nz²) each.
            let z = noiseMultiplier * Double(blockSize ?? steps).squareRoot() * (1 + 0x1p-50)
            return knownStep(under: .addOrRemoveOne, noiseMultiplier: z)
        }
        if side == .lower, !isOnGrid {
            // The outcome of one step alone.
            let share = probability / Double(steps) * (1 - 0x1p-52)
            return LossStep([
                .poissonGaussian(probability: share, noiseMultiplier: noiseMultiplier, under: .addOrRemoveOne)
            ])
        }
        let terms = Self.accounted(steps, side: side)
        let sum = LikelihoodRatioSum.of(terms: terms, noiseMultiplier: noiseMultiplier)
        return LossStep(sum, probability: probability, side: side)
    }

    /// Beyond as many steps an upper end has no use for more.
    private static let mostSteps = 1 << 24

    /// As many steps as a bound is made for: of ten leading binary digits, so that no sum of few terms is added to one
    /// of very many. The more steps, the less is revealed: a mean of t ratios is the expectation of that of t′ < t of
    /// them, given their order statistics.
    static func accounted(_ steps: Int, side: LossModel.Side) -> Int {
        let steps = min(steps, mostSteps)
        // The greatest power of 2 up to t/2⁹.
        let unit = 1 << max(0, Int.bitWidth - 10 - steps.leadingZeroBitCount)
        return side == .upper ? steps / unit * unit : (steps + unit - 1) / unit * unit
    }

    private func knownStep(under relation: NeighboringRelation, noiseMultiplier z: Double) -> LossStep {
        LossStep([.poissonGaussian(probability: probability, noiseMultiplier: z, under: relation)])
    }

    /// Whether losses, and masses of Q where they are largest, are in the range of Float64. With less noise there is
    /// next to nothing to be gained from not knowing the step.
    private var isOnGrid: Bool { noiseMultiplier >= 0.05 }
}

extension PrivacyEvent {
    /// Gaussian noise on each of `steps` steps, `participations` of which, chosen uniformly, a record takes part in;
    /// one alone with `probability`.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `participations` is in 0...steps,
    ///   `probability` in [0, 1], and 1 for several participations, and `noiseMultiplier` in [0, ∞].
    public static func randomAllocated(
        steps: Int, participations: Int, probability: Double = 1, noiseMultiplier: Double
    ) throws(AccountingError) -> PrivacyEvent {
        .randomAllocated(
            try RandomAllocatedEvent(
                steps: steps, participations: participations, probability: probability,
                noiseMultiplier: noiseMultiplier))
    }
}
