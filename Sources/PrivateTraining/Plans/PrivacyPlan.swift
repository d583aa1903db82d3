import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Requirements

/// What a training run promises: everything that its privacy depends on, and nothing else.
///
/// A plan fixes the sampler, the clipping, the noise and the number of steps together. A ``PrivateRun`` takes all of
/// them from its plan, so that they cannot be wired wrongly.
///
///     let plan = try PrivacyPlan(
///         exampleCount: 60_000, expectedBatchSize: 600, epochs: 20, clipping: .flat(l2ClipNorm: 1),
///         budget: .epsilon(2), delta: 1e-5)
///
/// Two runs with equal plans promise the same. What affects only speed or accuracy (microbatches, threads, optimizer,
/// learning rate) is not part of a plan.
///
/// **Guarantee:** the parameters of a run after t ≤ `iterations` steps, and everything computed from them, are
/// (`epsilon(afterIterations: t)`, δ)-differentially private under `relation`, for `unit`.
///
/// - It holds for data that satisfy the sampler's assumption.
/// - The sum is divided by the expected batch size, a public constant.
/// - ε holds for the numbers that the machine computes: sums are integers on a grid, their noise is a discrete
///   Gaussian, and what it differs by from the continuous one is in ε. Under `floatingPointGaussian` it holds for real
///   numbers only.
/// - It holds if AES-128 in counter mode is a pseudo-random function, and if each example's gradient is a function of
///   that example and the parameters.
/// - The noise has the standard deviation z·Δ. Δ is the add-or-remove-one sensitivity of the sum that it is added to;
///   for replace-one the accountant doubles Δ, once.
public struct PrivacyPlan: Hashable, Sendable {
    /// Whose presence is hidden.
    public let unit: PrivacyUnit
    /// What neighbouring data sets differ in.
    public let relation: NeighboringRelation
    /// How batches are drawn.
    public let sampling: SamplingScheme
    /// The number of steps, at least 0.
    public let iterations: Int
    /// How contributions are bounded.
    public let clipping: PlannedClipping
    /// How sums are made private.
    public let noise: NoiseScheme
    /// z: noise standard deviation over add-or-remove-one sensitivity, of all that a step releases.
    public let noiseMultiplier: Double
    /// The δ at which the run's ε is stated, in [0, 1).
    public let delta: Double
    /// The ε that was asked for; nil where the noise multiplier was given instead.
    public private(set) var epsilonBudget: Double?
    /// Who computes ε.
    public let accountant: PlanAccountant
    /// The release of the features' means and variances before the first step; nil for none. Its noise is not part of
    /// `noiseMultiplier`.
    public let normalization: PrivateNormalization?

    /// What noise a plan is to have.
    public enum Budget: Hashable, Sendable {
        /// The least noise with which all steps together cost at most this ε.
        case epsilon(Double)
        /// This noise, whatever it costs; 0 for none, which is no privacy.
        case noiseMultiplier(Double)
    }

    /// Throws ``PlanError`` or `PrivacyMechanismError` for numbers out of range and for choices that do not fit
    /// together. Throws `AccountingError` if the noise mechanism has no analysis of the sampler's participation
    /// pattern, if the accountant cannot analyse the event, or if no noise meets the budget.
    ///
    /// - `budget`: the ε to stay within, for which the noise multiplier is calibrated; or the noise multiplier.
    /// - `delta`: should be far below one over the number of units: of examples, or of users.
    /// - `noise`: how sums are made private; correlated noise may leave its strategy to be fitted.
    /// - `fit`: fits a strategy; give one that asks a ``/PrivacyMechanisms/StrategyCache`` first, or shows its
    ///   progress.
    /// - `normalization`: what else is released; the budget is for both.
    public init(
        sampling: SamplingScheme, iterations: Int, clipping: PlannedClipping, budget: Budget, delta: Double,
        relation: NeighboringRelation = .addOrRemoveOne, unit: PrivacyUnit = .example,
        accountant: PlanAccountant = .pld, noise plannedNoise: PlannedNoise = .discreteGaussian,
        normalization: PrivateNormalization? = nil,
        fit: (StrategyRequest, StrategyGoal) throws -> CorrelationStrategy = { try $0.fitted(to: $1) }
    ) throws {
        guard iterations >= 0 else {
            throw PlanError.outOfRange(name: "iterations", value: "\(iterations)", allowed: "at least 0")
        }
        guard delta >= 0, delta < 1 else {
            throw PlanError.outOfRange(name: "delta", value: "\(delta)", allowed: "in [0, 1)")
        }
        guard sampling.expectedBatchSize > 0 else {
            throw PlanError.outOfRange(
                name: "the expected batch size", value: "\(sampling.expectedBatchSize)", allowed: "above 0")
        }
        guard sampling.relations.contains(relation) else {
            throw PlanError.relationNotCovered(
                sampler: sampling.kind, relation: relation,
                covered: NeighboringRelation.allCases.filter(sampling.relations.contains))
        }
        guard unit == sampling.privacyUnit else {
            throw PlanError.unitMismatch(promised: unit, sampled: sampling.privacyUnit)
        }
        self.sampling = sampling
        self.iterations = iterations
        self.clipping = clipping
        self.delta = delta
        self.relation = relation
        self.unit = unit
        self.accountant = accountant
        self.normalization = normalization
        let pattern = try sampling.participation(in: iterations)
        noise = try plannedNoise.scheme(for: pattern, fit: fit)
        if let normalization { try Self.check(normalization, noise, unit) }
        try Self.check(noise.mechanism, fits: clipping)
        switch budget {
        case .noiseMultiplier(let z):
            guard z >= 0, z < .infinity else { throw PrivacyMechanismError.invalidNoiseMultiplier(z) }
            guard z == 0 || z >= noise.leastMultiplier else {
                throw PrivacyMechanismError.noiseTooSmallForGrid(noiseMultiplier: z, least: noise.leastMultiplier)
            }
            noiseMultiplier = z
            epsilonBudget = nil
        case .epsilon(let epsilon):
            noiseMultiplier = try accountant.noiseMultiplier(
                noise: noise, pattern: pattern, beside: normalization, epsilon: epsilon, delta: delta,
                relation: relation)
            epsilonBudget = epsilon
        }
        // A mechanism refuses what it has no event for, before a step is taken.
        _ = try noise.event(of: pattern, noiseMultiplier: noiseMultiplier)
        try checkNoiseFitsClipping()
    }

    /// Poisson sampling from `exampleCount` examples, for a number of epochs.
    ///
    /// Takes round(epochs · exampleCount / expectedBatchSize) steps, each with the sampling probability
    /// expectedBatchSize / exampleCount. Throws as above.
    public init(
        exampleCount: Int, expectedBatchSize: Double, epochs: Double, clipping: PlannedClipping, budget: Budget,
        delta: Double, relation: NeighboringRelation = .addOrRemoveOne, accountant: PlanAccountant = .pld,
        noise: PlannedNoise = .discreteGaussian, normalization: PrivateNormalization? = nil
    ) throws {
        let sampling = try Self.poisson(exampleCount: exampleCount, expectedBatchSize: expectedBatchSize)
        try self.init(
            sampling: sampling, iterations: Self.iterations(epochs: epochs, of: sampling), clipping: clipping,
            budget: budget, delta: delta, relation: relation, accountant: accountant, noise: noise,
            normalization: normalization)
    }

    /// Poisson sampling with the probability at which a batch has `expectedBatchSize` examples on average.
    static func poisson(exampleCount: Int, expectedBatchSize: Double) throws -> SamplingScheme {
        guard expectedBatchSize > 0, expectedBatchSize <= Double(exampleCount) else {
            throw PlanError.outOfRange(
                name: "expectedBatchSize", value: "\(expectedBatchSize)",
                allowed: "above 0 and at most the number of examples, \(exampleCount)")
        }
        let probability = expectedBatchSize / Double(exampleCount)
        return .poisson(try PoissonSampler(exampleCount: exampleCount, samplingProbability: probability))
    }

    /// The number of steps whose batches have, on average, as many contributions together as `epochs` epochs: each unit
    /// is in `epochs` of them on average.
    static func iterations(epochs: Double, of sampling: SamplingScheme) throws -> Int {
        let steps = (epochs * Double(sampling.epochSize) / sampling.expectedBatchSize).rounded()
        guard epochs >= 0, steps <= 1e15 else {
            throw PlanError.outOfRange(
                name: "epochs", value: "\(epochs)", allowed: "at least 0, for at most 1e15 steps")
        }
        return Int(steps)
    }

    /// Whether sums are integers, and ε holds for the numbers that the machine computes.
    var isExact: Bool { noise.mechanism.sums == .exact }

    /// Whether gradients may be transformed in another way every so many steps: where noise is correlated over steps, a
    /// transform stays as long as a strategy does, or to the end.
    package func allowsTransforms(changingEvery interval: Int) -> Bool {
        guard let strategy = noise.correlation?.strategy else { return true }
        return interval.isMultiple(of: strategy.steps) || interval >= iterations
    }

    /// N, which the clipped sum is divided by.
    public var normalizeBy: Double { sampling.expectedBatchSize }

    /// The rule of the first step; of every step, unless the clip norm adapts.
    public var initialClippingRule: ClippingRule {
        do throws(PrivacyMechanismError) {
            return try clipping.method.initialRule(normalizeBy: normalizeBy)
        } catch {
            fail("A plan that was checked has a clipping rule: \(error)")
        }
    }

    /// The noise multiplier of the gradient's sum: z, or what remains of it if counts are released too.
    public var gradientNoiseMultiplier: Double {
        guard let adaptive = clipping.adaptive else { return noiseMultiplier }
        do throws(PrivacyMechanismError) {
            return try adaptive.gradientNoiseMultiplier(forTotal: noiseMultiplier)
        } catch {
            fail("A plan that was checked divides its noise: \(error)")
        }
    }

    /// The grid of the first step's sum over `layout`; with the least sensitivity in its units that any layout gets if
    /// it is nil. Nil without noise, and where sums are in floating point.
    ///
    /// Throws `PrivacyMechanismError` for clip norms that do not fit the layout, or that rounding to the grid takes up.
    func grid(layout: TreeLayout?) throws(PrivacyMechanismError) -> NoiseGrid? {
        try noise.grid(of: initialClippingRule, noiseMultiplier: gradientNoiseMultiplier, layout: layout)
    }

    /// The same plan with `epsilon` as its budget; throws ``PlanError`` if it costs more.
    func within(budget epsilon: Double) throws -> PrivacyPlan {
        guard epsilon > 0 else {
            throw PlanError.outOfRange(name: "epsilon", value: "\(epsilon)", allowed: "above 0")
        }
        let spent = try self.epsilon()
        guard spent <= epsilon else {
            throw PlanError.overBudget(
                noiseMultiplier: noiseMultiplier, epsilon: spent, budget: epsilon, delta: delta)
        }
        var plan = self
        plan.epsilonBudget = epsilon
        return plan
    }

    /// Throws ``PlanError/noiseDoesNotFitClipping(noise:clipping:)`` for noise that cannot follow an adaptive clip
    /// norm.
    static func check<Mechanism: NoiseMechanism>(
        _ mechanism: Mechanism, fits clipping: PlannedClipping
    ) throws(PlanError) {
        if clipping.adaptive != nil, !mechanism.allowsChangingSensitivity {
            throw .noiseDoesNotFitClipping(noise: Mechanism.kind, clipping: type(of: clipping.method).name)
        }
    }

    private static func check(
        _ normalization: PrivateNormalization, _ noise: NoiseScheme, _ unit: PrivacyUnit
    ) throws {
        guard unit == .example else { throw PlanError.normalizationOfUsers }
        let z = normalization.noiseMultiplier
        guard z == 0 || z >= noise.leastMultiplier else {
            throw PrivacyMechanismError.noiseTooSmallForGrid(noiseMultiplier: z, least: noise.leastMultiplier)
        }
    }

    private func checkNoiseFitsClipping() throws {
        let rule = try clipping.method.initialRule(normalizeBy: normalizeBy)
        if let adaptive = clipping.adaptive {
            _ = try adaptive.gradientNoiseMultiplier(forTotal: noiseMultiplier)
            guard noiseMultiplier == 0 || adaptive.countNoiseMultiplier <= noise.largestCountDeviation else {
                throw PrivacyMechanismError.invalidAdaptiveClipping(
                    name: "countNoiseMultiplier", value: adaptive.countNoiseMultiplier,
                    allowed: "at most \(noise.largestCountDeviation) under \(noise.kind) noise")
            }
        }
        if noiseMultiplier > 0, rule.sensitivity(for: .addOrRemoveOne) == .infinity {
            throw PlanError.unboundedClipping
        }
    }
}

extension PrivacyPlan {
    /// The privacy event of the first `count` steps, and of the normalization, which comes before them; of all steps if
    /// it is nil. Traps if there are fewer than `count`.
    ///
    /// Of discrete noise it is the event of the continuous noise that covers it, up to a slack that
    /// ``epsilon(afterIterations:)`` contains.
    public func event(afterIterations count: Int? = nil) throws(AccountingError) -> PrivacyEvent {
        let count = count ?? iterations
        require(
            (0...iterations).contains(count), "A plan of \(iterations) steps has no event for \(count) of them.")
        return try PlanAccountant.event(
            of: sampling.participation(in: count), noise: noise, noiseMultiplier: noiseMultiplier,
            beside: normalization)
    }

    /// The event of all steps if their noise had another multiplier. A plan of that need not exist.
    package func event(noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent {
        try PlanAccountant.event(
            of: sampling.participation(in: iterations), noise: noise, noiseMultiplier: noiseMultiplier,
            beside: normalization)
    }

    /// The accountant that ``event(afterIterations:)`` is asked of: what discrete noise is off by in each of the first
    /// `count` steps, and in the normalization, is in its answers.
    package func accountant(
        _ choice: PlanAccountant? = nil, afterIterations count: Int? = nil
    ) throws(AccountingError) -> any PrivacyAccountant {
        try (choice ?? accountant).make(relation: relation, noise: noise, steps: releases(afterIterations: count))
    }

    /// How many noised sums the first `count` steps and the normalization release.
    func releases(afterIterations count: Int? = nil) -> Int {
        (count ?? iterations) + (normalization == nil ? 0 : 1)
    }

    /// ε of the first `count` steps at `delta`, and of the normalization; of all steps if it is nil. ∞ without noise.
    public func epsilon(afterIterations count: Int? = nil) throws(AccountingError) -> Double {
        try accountant(afterIterations: count).epsilon(of: event(afterIterations: count), delta: delta)
    }
}
