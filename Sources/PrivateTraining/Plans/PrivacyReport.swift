import Foundation
import PrivacyAccounting
import PrivacyMechanisms

/// What a run promises to the people in its data, and what it does not: for those who publish a model, and those who
/// decide whether it may be.
public struct PrivacyReport: Codable, Hashable, Sendable {
    /// An (ε, δ) and who computed it.
    public struct Guarantee: Codable, Hashable, Sendable {
        /// "pld" or "rdp".
        public let accountant: String
        /// An upper bound; nil where there is none (no noise).
        public let epsilon: Double?
        /// No analysis can show less than this; nil where the accountant does not say.
        public let lowerBound: Double?
        /// The δ that ε goes with.
        public let delta: Double
        /// Why this accountant has no answer; nil where it has one.
        public let refusal: String?
    }

    /// The plan, whole.
    public let plan: PrivacyPlan
    /// How many of the planned steps were taken; all of them for a plan that is yet to run.
    public let stepsTaken: Int
    /// The kind of sampling.
    public let sampling: String
    /// What the analysis assumes of the data and its sampling.
    public let assumption: String
    /// The expected batch size N, which sums are divided by.
    public let expectedBatchSize: Double
    /// What the gradient sums are noised with, in units of Δ: z, less the share of adaptive clipping's counts.
    public let gradientNoiseMultiplier: Double
    /// Δ for add-or-remove-one of the first step's clipped, divided sum; nil if it is unbounded.
    public let sensitivity: Double?
    /// The standard deviation of the noise on that sum; nil if Δ is unbounded.
    public let noiseStandardDeviation: Double?
    /// (ε, δ) after `stepsTaken` steps, by the plan's accountant first.
    public let guarantees: [Guarantee]
    /// μ of the Gaussian mechanism that has the same ε at δ: easier to compare and compose than (ε, δ). Nil where ε is
    /// not finite or δ is 0.
    public let equivalentMu: Double?
    /// What nobody should think is covered.
    public let notCovered: [String]
    /// The software that made the promise.
    public let versions: [String: String]

    /// The report of a plan, or of a run of it.
    ///
    /// - Parameters:
    ///   - stepsTaken: how many steps were taken; nil for all that are planned. Traps if there are fewer.
    ///   - isSeeded: whether noise and sampling came from a seed.
    ///   - interruptions: how often the run went on from a checkpoint.
    ///   - notCovered: further sentences, as from a data set whose bounds were taken from the data.
    public init(
        of plan: PrivacyPlan, stepsTaken: Int? = nil, isSeeded: Bool = false, interruptions: Int = 0,
        notCovered: [String] = []
    ) {
        self.plan = plan
        let steps = stepsTaken ?? plan.iterations
        self.stepsTaken = steps
        sampling = plan.sampling.kind.rawValue
        assumption = plan.sampling.assumption
        expectedBatchSize = plan.normalizeBy
        gradientNoiseMultiplier = plan.gradientNoiseMultiplier
        let bound = plan.initialClippingRule.sensitivity(for: .addOrRemoveOne)
        sensitivity = bound.isFinite ? bound : nil
        noiseStandardDeviation = bound.isFinite ? plan.gradientNoiseMultiplier * bound : nil
        guarantees = PlanAccountant.allCases.sorted { one, _ in one == plan.accountant }.map {
            Self.guarantee(of: plan, steps: steps, by: $0)
        }
        equivalentMu = guarantees.first?.epsilon.flatMap {
            try? GaussianDifferentialPrivacy(epsilon: $0, delta: plan.delta).mu
        }
        self.notCovered =
            Self.caveats(of: plan, isSeeded: isSeeded, interruptions: interruptions) + notCovered
        versions = Self.versions
    }

    private static func guarantee(of plan: PrivacyPlan, steps: Int, by accountant: PlanAccountant) -> Guarantee {
        do throws(AccountingError) {
            let event = try plan.event(afterIterations: steps)
            switch accountant {
            case .pld:
                let bounds = try PrivacyLossDistributionAccountant(relation: plan.relation)
                    .epsilonBounds(of: event, delta: plan.delta)
                return Guarantee(
                    accountant: accountant.rawValue, epsilon: bounds.upper.isFinite ? bounds.upper : nil,
                    lowerBound: bounds.lower.isFinite ? bounds.lower : nil, delta: plan.delta, refusal: nil)
            case .rdp:
                let epsilon = try RenyiAccountant(relation: plan.relation).epsilon(of: event, delta: plan.delta)
                return Guarantee(
                    accountant: accountant.rawValue, epsilon: epsilon.isFinite ? epsilon : nil, lowerBound: nil,
                    delta: plan.delta, refusal: nil)
            }
        } catch {
            return Guarantee(
                accountant: accountant.rawValue, epsilon: nil, lowerBound: nil, delta: plan.delta,
                refusal: error.description)
        }
    }

    private static func caveats(of plan: PrivacyPlan, isSeeded: Bool, interruptions: Int) -> [String] {
        var sentences = [
            "Hyperparameters that were chosen by looking at the data, or at other runs on it.",
            "Other releases from the same data: losses, gradient norms or accuracies on it, other models.",
            "Evaluation data, which is used as it is.",
            "Attacks on the low-order bits of floating-point noise.",
        ]
        if plan.relation == .addOrRemoveOne {
            sentences.append("The expected batch size and sampling probability, which are published.")
        } else {
            sentences.append("The size of the data set, which is published.")
        }
        if plan.unit == .example {
            sentences.append("A person with k examples: protected like a group of k, not like one.")
        }
        if plan.noiseMultiplier == 0 { sentences.append("Anyone at all: there is no noise.") }
        if isSeeded {
            sentences.append(
                "Anyone who must be protected from somebody who knows the seed: noise and sampling can be replayed.")
        }
        if interruptions > 0 {
            sentences.append(
                "Parameters of steps that were lost when the run was interrupted (\(interruptions) times), if anyone "
                    + "saw them.")
        }
        return sentences
    }

    private static let versions: [String: String] = [
        "swift-private-training": PackageVersion.current,
        "system": ProcessInfo.processInfo.operatingSystemVersionString,
    ]
}

/// The version of this package, as its changelog has it.
public enum PackageVersion {
    /// "0.1.0", for example; "-dev" behind it means a state between releases.
    public static let current = "0.1.0-dev"
}
