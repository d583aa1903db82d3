import PrivacyAccounting

/// What is true of who takes part in the steps 0..<T of a run, as far as a privacy analysis may count on it.
///
/// It describes the sampling and no more: what the steps cost depends on the noise, and is for the noise mechanism to
/// say (``NoiseScheme/event(of:noiseMultiplier:)``). Only samplers make patterns.
///
/// Whoever takes part is a unit: an example, or a user by the mean of some of their examples. Units choose
/// independently of each other unless ``dependsOnUnitCount``.
public struct ParticipationPattern: Hashable, Sendable {
    /// How one unit's steps are chosen.
    public enum Choice: Hashable, Sendable {
        /// It takes part in every step with `probability`, independently of other steps.
        case eachStep(probability: Double)
        /// It has at most `atMost` slots in the T steps, at least `separation` steps apart, and takes part in each with
        /// `probability`, independently of its other slots. A slot is a uniformly random one of `choices` consecutive
        /// steps, independently of other slots; which steps these are is chosen beforehand, and may be known.
        case slots(atMost: Int, separation: Int, probability: Double, choices: Int)
        /// It is drawn in every `period`-th step with `probability`, independently of other units and steps; where more
        /// than `maximumBatchSize` of the `unitCount` units whose turn it is are, a uniformly random subset of that
        /// size takes part. Whose turn a step is may be known.
        case truncated(probability: Double, maximumBatchSize: Int, unitCount: Int, period: Int)
        /// `batchSize` of the `unitCount` units take part in every step, drawn uniformly, independently of other steps;
        /// with replacement, a unit may take part in a step several times.
        case fixedSize(batchSize: Int, unitCount: Int, isWithReplacement: Bool)
        /// It takes part in exactly `participations` of the `length` steps of each epoch: the same in each epoch, or
        /// chosen anew, independently of other epochs. The steps are a uniformly random set of that size, unless the
        /// choice depends on the number of units: then they are what a random order of all units makes of it.
        case epochs(length: Int, participations: Int, isSameInEach: Bool)
    }

    /// T.
    public let iterations: Int
    /// Who takes part or does not.
    public private(set) var unit: PrivacyUnit
    /// How one unit's steps are chosen.
    public let choice: Choice
    /// Whether one unit's choice depends on how many others there are, so that what is said here holds for two data
    /// sets only if that number is public, and the same in both.
    public let dependsOnUnitCount: Bool

    /// Throws `AccountingError` unless `iterations` is at least 0.
    package init(
        iterations: Int, unit: PrivacyUnit = .example, choice: Choice, dependsOnUnitCount: Bool = false
    ) throws(AccountingError) {
        guard iterations >= 0 else {
            throw .outOfRange(name: "iterations", value: "\(iterations)", allowed: "at least 0")
        }
        self.iterations = iterations
        self.unit = unit
        self.choice = choice
        self.dependsOnUnitCount = dependsOnUnitCount
    }

    /// The same pattern of other units: for a sampler that draws them as another one draws examples.
    func of(_ unit: PrivacyUnit) -> ParticipationPattern {
        var pattern = self
        pattern.unit = unit
        return pattern
    }

    /// How often a unit can take part in the T steps.
    ///
    /// **Guarantee:** no unit takes part more often, whatever is drawn.
    public var mostParticipations: Int {
        switch choice {
        case .eachStep: return iterations
        case .truncated(_, _, _, let period): return iterations.dividedUp(by: period)
        case .slots(let most, _, _, _): return most
        case .fixedSize(let batchSize, _, let isWithReplacement):
            // Saturates: no run takes so many steps, and a bound must not wrap.
            let (drawn, overflows) = batchSize.multipliedReportingOverflow(by: iterations)
            return isWithReplacement ? (overflows ? .max : drawn) : iterations
        case .epochs(let length, let participations, _):
            let (epochs, rest) = iterations.quotientAndRemainder(dividingBy: length)
            return participations * epochs + min(participations, rest)
        }
    }

    /// How many steps apart any two participations of a unit are at least: 0 where it can take part in a step twice, T
    /// where it cannot take part twice.
    ///
    /// **Guarantee:** no two are closer, whatever is drawn.
    public var leastSeparation: Int {
        if mostParticipations <= 1 { return iterations }
        switch choice {
        case .eachStep: return 1
        case .truncated(_, _, _, let period): return period
        case .slots(_, let separation, _, _): return separation
        case .fixedSize(let batchSize, _, let isWithReplacement): return isWithReplacement && batchSize > 1 ? 0 : 1
        case .epochs(let length, let participations, let isSameInEach):
            // Chosen anew, the last step of an epoch can be followed by the first of the next.
            return isSameInEach && participations == 1 ? length : 1
        }
    }
}
