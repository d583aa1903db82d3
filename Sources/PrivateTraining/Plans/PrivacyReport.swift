import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Requirements

/// What a run promises to the people in its data, and what it does not promise.
///
/// For those who publish a model, and for those who decide whether it may be published.
public struct PrivacyReport: Codable, Hashable, Sendable {
    /// An (ε, δ) and who computed it.
    public struct Guarantee: Codable, Hashable, Sendable {
        /// Its name: that of a ``PlanAccountant``.
        public let accountant: String
        /// An upper bound; infinite without noise, nil where this accountant has no answer.
        public var epsilon: Double? { bound?.value }
        private let bound: ExtendedNumber?
        /// No analysis of the event that the steps are accounted as can show less than this; nil where the accountant
        /// does not say.
        public let lowerBound: Double?
        /// The δ that ε goes with.
        public let delta: Double
        /// Why this accountant has no answer; nil where it has one.
        public let refusal: String?

        private enum CodingKeys: String, CodingKey {
            case accountant, lowerBound, delta, refusal
            case bound = "epsilon"
        }

        init(accountant: String, epsilon: Double?, lowerBound: Double?, delta: Double, refusal: String?) {
            self.accountant = accountant
            bound = epsilon.map(ExtendedNumber.init)
            self.lowerBound = lowerBound
            self.delta = delta
            self.refusal = refusal
        }

        /// Writes every key, null where there is nothing; an infinite ε as the text "inf".
        public func encode(to encoder: any Encoder) throws {
            var box = encoder.container(keyedBy: CodingKeys.self)
            try box.encode(accountant, forKey: .accountant)
            try box.encode(bound, forKey: .bound)
            try box.encode(lowerBound, forKey: .lowerBound)
            try box.encode(delta, forKey: .delta)
            try box.encode(refusal, forKey: .refusal)
        }
    }

    /// The grid that the sums of discrete noise are taken on, and what it costs.
    ///
    /// One example moves the integers of a sum by at most M = `sensitivity` in L2 norm, and their noise is the discrete
    /// Gaussian N_ℤ(0, σ²).
    public struct Grid: Codable, Hashable, Sendable {
        /// γ: what a grid unit is worth in the first step's clipped sum, before it is divided by N.
        public let spacing: Double
        /// M. A plan knows no layout, and has the least M of any; a run may have a finer grid.
        public let sensitivity: Double
        /// σ, in grid units.
        public let noiseStandardDeviation: Double
        /// s: every ε of the report contains 2s, and is asked for at δ·e^{−s}. It is what the noise of all steps taken,
        /// and of the normalization, is off by from continuous noise, for up to 2⁴⁰ parameters.
        public let slack: Double
    }

    /// How users are drawn, and what each of them contributes.
    public struct UserContributions: Codable, Hashable, Sendable {
        /// The kind of sampling that users are drawn by, as examples are elsewhere.
        public let sampling: String
        /// The most examples of a user that the mean is taken of.
        public let examplesPerUser: Int
    }

    /// Whose presence is hidden.
    public let unit: PrivacyUnit
    /// How many units the plan is for: of examples, or of users.
    public let unitCount: Int
    /// How users are drawn; nil unless they are drawn as such.
    public var users: UserContributions? { userContributions.value }
    private let userContributions: Nullable<UserContributions>
    /// What neighbouring data sets differ in.
    public let relation: NeighboringRelation
    /// How many steps were planned.
    public let plannedSteps: Int
    /// How many of them were taken; all of them for a plan that is yet to run.
    public let stepsTaken: Int
    /// The ε that was asked for, for all planned steps; nil where the noise multiplier was given instead.
    public let epsilonBudget: Double?
    /// How contributions are bounded.
    public let clipping: PlannedClipping
    /// The noise mechanism, as plans name it.
    public let noise: String
    /// z: noise standard deviation over Δ, of all that a step releases.
    public let noiseMultiplier: Double
    /// Whether noise and sampling can be replayed by whoever knows a seed.
    public let isSeeded: Bool
    /// The kind of sampling. What it draws from, and who owns which example, is not part of a report.
    public let sampling: String
    /// The release of means and variances before the first step, which every ε contains; nil for none.
    public var normalization: PrivateNormalization? { releasedNormalization.value }
    private let releasedNormalization: Nullable<PrivateNormalization>
    /// What the analysis assumes of the data and its sampling, of gradients, and of random bits.
    public let assumption: String
    /// The expected batch size N, which sums are divided by.
    public let expectedBatchSize: Double
    /// The noise multiplier of the gradient sums: z, less the share of adaptive clipping's counts.
    public let gradientNoiseMultiplier: Double
    /// Δ for add-or-remove-one of the first step's clipped, divided sum; nil if it is unbounded.
    public let sensitivity: Double?
    /// The standard deviation of the noise on that sum, before it is correlated; nil if Δ is unbounded.
    public let noiseStandardDeviation: Double?
    /// The grid of the sums; nil without noise, and for noise in floating point.
    public var grid: Grid? { sumGrid.value }
    private let sumGrid: Nullable<Grid>
    /// How the noise is correlated, and what is to be expected of it; nil for independent noise.
    public var strategy: StrategyReport? { strategyReport.value }
    private let strategyReport: Nullable<StrategyReport>
    /// (ε, δ) after `stepsTaken` steps, by the plan's accountant first. For a run that was stopped early it holds if
    /// the number of steps did not depend on results; ``plannedEpsilon`` holds in any case.
    public let guarantees: [Guarantee]
    /// ε of all planned steps, by the plan's accountant; infinite without noise, nil where the accountant has no
    /// answer.
    public var plannedEpsilon: Double? { plannedBound?.value }
    private let plannedBound: ExtendedNumber?
    /// μ of the Gaussian mechanism that has the same ε at δ, for comparison only: the run is not μ-GDP, and μs of this
    /// kind do not compose. Nil where ε is not finite or δ is 0.
    public let equivalentMu: Double?
    /// What is not covered, one sentence each.
    public let notCovered: [String]
    /// The versions of the software that made the promise.
    public let versions: [String: String]

    private enum CodingKeys: String, CodingKey {
        case unit, unitCount, relation, plannedSteps, stepsTaken, epsilonBudget, clipping, noise, noiseMultiplier,
            isSeeded
        case sampling, assumption, expectedBatchSize, gradientNoiseMultiplier, sensitivity, noiseStandardDeviation
        case guarantees, equivalentMu, notCovered, versions
        case userContributions = "users"
        case sumGrid = "grid"
        case releasedNormalization = "normalization"
        case plannedBound = "plannedEpsilon"
        case strategyReport = "strategy"
    }

    /// The report of a plan, or of a run of it.
    ///
    /// - Parameters:
    ///   - plan: what is promised.
    ///   - stepsTaken: how many steps were taken; nil for all that are planned. Traps if there are fewer.
    ///   - isSeeded: whether noise and sampling came from a seed.
    ///   - interruptions: how often the run went on from a checkpoint.
    ///   - notCovered: further sentences, as from a data set whose bounds were taken from the data.
    ///   - sumLayout: the layout of a run's sums, ``PrivateRun/sumLayout()``, which decides how fine their grid is; nil
    ///     for the coarsest. Traps if the plan's clip norms do not fit it.
    public init(
        of plan: PrivacyPlan, stepsTaken: Int? = nil, isSeeded: Bool = false, interruptions: Int = 0,
        notCovered: [String] = [], sumLayout: TreeLayout? = nil
    ) {
        let steps = stepsTaken ?? plan.iterations
        unit = plan.unit
        unitCount = plan.unitCount
        userContributions = Nullable(
            plan.sampling.users.map {
                UserContributions(sampling: $0.base.kind, examplesPerUser: $0.examplesPerUser)
            })
        relation = plan.relation
        plannedSteps = plan.iterations
        self.stepsTaken = steps
        epsilonBudget = plan.epsilonBudget
        clipping = plan.clipping
        noise = plan.noise.kind
        noiseMultiplier = plan.noiseMultiplier
        self.isSeeded = isSeeded
        sampling = plan.sampling.kind
        releasedNormalization = Nullable(plan.normalization)
        assumption = "\(plan.sampling.assumption) \(Self.assumptions)"
        expectedBatchSize = plan.normalizeBy
        gradientNoiseMultiplier = plan.gradientNoiseMultiplier
        let bound = plan.initialClippingRule.sensitivity(for: .addOrRemoveOne)
        sensitivity = bound.isFinite ? bound : nil
        noiseStandardDeviation = bound.isFinite ? plan.gradientNoiseMultiplier * plan.columnNorm * bound : nil
        sumGrid = Nullable(Self.grid(of: plan, steps: steps, layout: sumLayout))
        strategyReport = Nullable(StrategyReport(of: plan))
        let accountants = [plan.accountant] + PlanAccountant.allCases.filter { $0 != plan.accountant }
        guarantees = accountants.map { Self.guarantee(of: plan, steps: steps, by: $0) }
        let planned =
            steps == plan.iterations
            ? guarantees[0] : Self.guarantee(of: plan, steps: plan.iterations, by: plan.accountant)
        plannedBound = planned.epsilon.map(ExtendedNumber.init)
        equivalentMu = guarantees.first?.epsilon.flatMap {
            $0.isFinite ? try? GaussianDifferentialPrivacy(epsilon: $0, delta: plan.delta).mu : nil
        }
        self.notCovered =
            Self.caveats(of: plan, steps: steps, isSeeded: isSeeded, interruptions: interruptions) + notCovered
        versions = Self.versions
    }

    private static func guarantee(of plan: PrivacyPlan, steps: Int, by accountant: PlanAccountant) -> Guarantee {
        do throws(AccountingError) {
            let event = try plan.event(afterIterations: steps)
            let ends = try plan.accountant(accountant, afterIterations: steps)
                .epsilonEnds(of: event, delta: plan.delta)
            return Guarantee(
                accountant: accountant.rawValue, epsilon: ends.upper,
                lowerBound: ends.lower.flatMap { $0.isFinite ? $0 : nil }, delta: plan.delta, refusal: nil)
        } catch {
            return Guarantee(
                accountant: accountant.rawValue, epsilon: nil, lowerBound: nil, delta: plan.delta,
                refusal: error.description)
        }
    }

    private static func grid(of plan: PrivacyPlan, steps: Int, layout: TreeLayout?) -> Grid? {
        do {
            guard let grid = try plan.grid(layout: layout) else { return nil }
            return Grid(
                spacing: grid.spacing, sensitivity: grid.sensitivity,
                noiseStandardDeviation: grid.noiseStandardDeviation,
                slack: try plan.noise.mechanism.slack(steps: plan.releases(afterIterations: steps))?.value ?? 0)
        } catch {
            fail("A report was asked for with a layout that the plan does not fit: \(error)")
        }
    }

    private static let versions: [String: String] = [
        "swift-private-training": PackageVersion.current,
        "system": ProcessInfo.processInfo.operatingSystemVersionString,
    ]
}

/// The version of this package, as its changelog has it.
public enum PackageVersion {
    /// "0.1.0", for example; "-dev" behind it means a state between releases.
    public static let current = "0.1.0"
}
