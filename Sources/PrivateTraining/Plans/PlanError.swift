import PrivacyAccounting
import PrivacyMechanisms

/// What is wrong with a plan, or with a step beyond it.
public enum PlanError: Error, Equatable, Sendable {
    /// A number is outside its range. `value` is text, so that NaN and overflowing counts can be reported.
    case outOfRange(name: String, value: String, allowed: String)
    /// The event of this sampler says nothing about the relation.
    case relationNotCovered(sampler: String, relation: NeighboringRelation, covered: [NeighboringRelation])
    /// The sampler selects other units than the plan promises to protect.
    case unitMismatch(promised: PrivacyUnit, sampled: PrivacyUnit)
    /// The noise mechanism needs the same sensitivity in every step, and the clip norm adapts.
    case noiseDoesNotFitClipping(noise: String, clipping: String)
    /// The optimizer changes its transform within a strategy of correlated noise.
    case transformChangesWithinStrategy(interval: Int, steps: Int, restarts: Bool)
    /// Noise with an infinite clip norm.
    case unboundedClipping
    /// The noise multiplier beside a budget costs more than the budget.
    case overBudget(noiseMultiplier: Double, epsilon: Double, budget: Double, delta: Double)
    /// A file gives the number of steps, or the budget, twice or not at all.
    case ambiguous(choices: [String], given: [String])
    /// A file leaves out what every plan has.
    case missing(String)
    /// A normalisation has another number of channels than the features can have.
    case channelsDoNotFit(channels: Int, features: Int)
    /// A normalisation is to protect users, and its release bounds examples.
    case normalizationOfUsers
    /// All planned steps have been taken.
    case exhausted(iterations: Int)
    /// A data set has another size than the plan was made for.
    case dataSetSizeMismatch(planned: Int, found: Int)
}

extension PlanError: CustomStringConvertible {
    /// The value, the allowed range, and the remedy.
    public var description: String {
        switch self {
        case .outOfRange(let name, let value, let allowed):
            return "\(name) is \(value), but must be \(allowed)."
        case .relationNotCovered(let sampler, let relation, let covered):
            let names = covered.map(\.rawValue).sorted().joined(separator: ", ")
            return "The analysis of \(sampler) sampling does not cover the relation \(relation.rawValue), "
                + "only \(names): choose one of these, or another sampler."
        case .unitMismatch(let promised, let sampled):
            return "The plan promises to protect each \(promised.rawValue), but its sampler selects each "
                + "\(sampled.rawValue): choose the sampler for the unit, or promise what it does."
        case .noiseDoesNotFitClipping(let noise, let clipping):
            return "\(noise) noise needs the same sensitivity in every step, and under \(clipping) clipping it changes"
                + ": choose a fixed clip norm, or discreteGaussian noise."
        case .transformChangesWithinStrategy(let interval, let steps, let restarts):
            return "The optimizer changes its transform every \(interval) steps, but the noise of \(steps) steps is "
                + "correlated, and sums in another space have another sensitivity: let the strategy restart every "
                + "\(restarts ? "\(interval) steps" : "few steps and the transform be refreshed as often"), or use an "
                + "optimizer that transforms nothing, or independent noise."
        case .unboundedClipping:
            return "The clip norm is infinite, and no noise can hide what nothing bounds: choose a finite clip norm."
        case .overBudget(let noiseMultiplier, let epsilon, let budget, let delta):
            return "The noise multiplier \(noiseMultiplier) costs ε = \(epsilon) at δ = \(delta), more than the budget "
                + "of \(budget): leave the noise multiplier out to have it calibrated, or allow a larger budget."
        case .ambiguous(let choices, let given):
            return "Exactly one of \(choices.joined(separator: " and ")) is needed, but "
                + (given.isEmpty ? "none was given: add one of them." : "both were given: leave one of them out.")
        case .missing(let name):
            return "The plan has no \(name): add it."
        case .channelsDoNotFit(let channels, let features):
            return "normalization.channelCount is \(channels), but must divide the number of features, \(features)."
        case .normalizationOfUsers:
            return "A private normalization bounds what each example contributes, and the plan promises to protect "
                + "each user: leave normalization out, or normalise by groups of channels, which costs no privacy."
        case .exhausted(let iterations):
            return "All \(iterations) planned steps have been taken; one more would cost more than was planned. "
                + "Plan more iterations beforehand: the noise must know of them."
        case .dataSetSizeMismatch(let planned, let found):
            return
                "The plan is for \(planned) examples, but the data set has \(found): plan for the data that is there."
        }
    }
}
