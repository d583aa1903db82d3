import PrivacyAccounting
import PrivacyMechanisms

/// What correlated noise does in a plan: its strategy, what it costs, and the errors that are to be expected.
public struct StrategyReport: Codable, Hashable, Sendable {
    /// The kind of strategy.
    public let kind: String
    /// n, the steps that the strategy is for.
    public let steps: Int
    /// Whether it begins anew when they have been taken.
    public let restarts: Bool
    /// The least b for which C[i][j] = 0 wherever i − j ≥ b; n if C has no bands.
    public let bands: Int
    /// How often somebody can take part in the planned steps.
    public let participations: Int
    /// How many steps apart, at least.
    public let separation: Int
    /// ‖C‖₁→₂, what the noise of one step is multiplied by before it is correlated.
    public let columnNorm: Double
    /// The sensitivity of C for these participations, in the n steps: that of independent noise is √participations. Nil
    /// where each participation is accounted by itself, so that sampling amplifies.
    public let sensitivity: Double?
    /// The standard deviation of the noise that is in a prefix sum of mean clipped gradients, for each coordinate: the
    /// root of its mean square over n steps.
    public let predictedError: Double
    /// The same of independent noise under the same ε and δ, with the same expected batch: of Poisson samples where the
    /// units are examples and the relation allows it, else of the plan's own sampling. Nil if none meets the budget.
    public let independentError: Double?
    /// Whether ε holds for the numbers that the machine computes; otherwise it takes Float64 arithmetic for granted.
    public let isDiscrete: Bool
    /// What a run keeps of past steps, in bytes for each parameter.
    public let bytesPerParameter: Int

    /// Nil unless the plan's noise is correlated. O(n³) for a dense strategy; calibrates independent noise.
    package init?(of plan: PrivacyPlan) {
        guard let correlation = plan.noise.correlation else { return nil }
        self.init(of: plan, independentError: Self.independentError(of: plan, steps: correlation.strategy.steps))
    }

    /// The same with an error of independent noise that is known.
    package init?(of plan: PrivacyPlan, independentError: Double?) {
        guard let correlation = plan.noise.correlation,
            let pattern = try? plan.sampling.participation(in: plan.iterations)
        else { return nil }
        let strategy = correlation.strategy
        kind = strategy.kind
        steps = strategy.steps
        restarts = correlation.restarts
        bands = strategy.bands
        participations = pattern.mostParticipations
        separation = pattern.leastSeparation
        columnNorm = strategy.columnNorm
        let participation = pattern.strategyParticipation
        sensitivity =
            participation == .once && participations > 1
            ? nil : strategy.sensitivity(for: participation, steps: min(steps, max(1, plan.iterations)))
        isDiscrete = correlation.isDiscrete
        bytesPerParameter = correlation.bytesPerParameter
        predictedError = plan.predictedError(steps: steps)
        self.independentError = independentError
    }

    private static func independentError(of plan: PrivacyPlan, steps: Int) -> Double? {
        guard plan.noiseMultiplier > 0, let epsilon = try? plan.epsilon(), epsilon > 0, epsilon < .infinity else {
            return nil
        }
        let poisson = try? PrivacyPlan.poisson(
            exampleCount: plan.sampling.exampleCount, expectedBatchSize: plan.normalizeBy)
        let isOfExamples = plan.unit == .example && poisson?.relations.contains(plan.relation) == true
        let independent = try? PrivacyPlan(
            sampling: isOfExamples ? poisson ?? plan.sampling : plan.sampling, iterations: plan.iterations,
            clipping: plan.clipping, budget: .epsilon(epsilon), delta: plan.delta, relation: plan.relation,
            unit: plan.unit, accountant: plan.accountant, normalization: plan.normalization)
        return independent?.predictedError(steps: steps)
    }
}

extension StrategyReport {
    /// What reports say of it, by name; with the bytes of all of `parameterCount` parameters, if it is given.
    package func lines(parameterCount: Int? = nil) -> [(name: String, value: String)] {
        let bands = bands == steps ? "no bands" : "\(bands) bands"
        let restarts = restarts ? ", and then anew" : ""
        let sensitivity =
            sensitivity.map { "sens(C) = \(PrivacyReport.rounded($0, up: true)) for" } ?? "each by itself:"
        let independent = independentError.map { "; independent noise has \(PrivacyReport.rounded($0))" } ?? ""
        let total = parameterCount.map { ", \($0 * bytesPerParameter) bytes for all of them" } ?? ""
        return [
            ("strategy", "\(kind), \(bands), \(steps) steps\(restarts)"),
            (
                "participations",
                "\(sensitivity) \(participations) participations, at least \(separation) steps apart"
            ),
            ("noise of prefix sums", "\(PrivacyReport.rounded(predictedError)) on average\(independent)"),
            ("memory of noise", "\(bytesPerParameter) bytes for each parameter\(total)"),
        ]
    }
}

extension PrivacyPlan {
    /// The standard deviation of the noise that is in a prefix sum of mean clipped gradients, for each coordinate: the
    /// root of its mean square over n steps. Those of a strategy are its own n; independent noise has √(Σ_t t/n) =
    /// √((n + 1)/2) times that of one step.
    package func predictedError(steps n: Int) -> Double {
        guard let strategy = noise.correlation?.strategy else {
            return noiseDeviationOfMean * (Double(n + 1) / 2).squareRoot()
        }
        return noiseDeviationOfMean * strategy.squaredErrors(on: .prefixSums).mean.squareRoot()
    }

    /// The standard deviation of the sum of all steps' noise, over ``noiseDeviationOfMean``: √T for independent noise;
    /// for correlated noise √(mB), where m is the largest squared error of a prefix sum and B how often a strategy
    /// begins.
    package var noiseGrowth: Double {
        let steps = max(1, iterations)
        guard let strategy = noise.correlation?.strategy else { return Double(steps).squareRoot() }
        return (strategy.squaredErrors(on: .prefixSums).max * Double(steps.dividedUp(by: strategy.steps))).squareRoot()
    }

    /// ‖C‖₁→₂, which noise is multiplied by before it is correlated; 1 for independent noise.
    var columnNorm: Double { noise.correlation?.strategy.columnNorm ?? 1 }
}
