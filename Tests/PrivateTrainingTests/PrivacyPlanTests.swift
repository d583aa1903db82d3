import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import Testing

@testable import PrivateTraining

@Suite struct PrivacyPlanTests {
    private let poisson = PrivacyPlanTests.poisson(exampleCount: 1000, probability: 0.05)

    private static func poisson(exampleCount: Int, probability: Double) -> SamplingScheme {
        .poisson(try! PoissonSampler(exampleCount: exampleCount, samplingProbability: probability))
    }

    private func plan(
        _ budget: PrivacyPlan.Budget = .noiseMultiplier(1), iterations: Int = 100,
        clipping: PlannedClipping = .flat(l2ClipNorm: 1), relation: NeighboringRelation = .addOrRemoveOne,
        sampling: SamplingScheme? = nil, delta: Double = 1e-5, unit: PrivacyUnit = .example,
        accountant: PlanAccountant = .pld
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: sampling ?? poisson, iterations: iterations, clipping: clipping, budget: budget, delta: delta,
            relation: relation, unit: unit, accountant: accountant)
    }

    /// √(z² − (2/2²²)²) but for the last bits: what plans are accounted with for z < 4.
    private static func effective(_ z: Double) throws -> Double {
        let effective = try ContinuousGaussianCover(sigma: z * 0x1p22, sensitivity: 0x1p22).effectiveNoiseMultiplier
        #expect(effective < z && effective > z * (1 - 0x1p-41))
        return effective
    }

    /// ε at δ = 1e-5 by privacy-loss distributions, with the slack of so many steps.
    private static func epsilon(
        of event: PrivacyEvent, steps: Int, _ relation: NeighboringRelation
    ) throws -> Double {
        let slack = try ContinuousGaussianCover(sigma: 0x1p22, sensitivity: 0x1p22)
            .slack(releases: steps, coordinates: 1 << 40)
        let accountant = PrivacyLossDistributionAccountant(relation: relation)
        return slack.epsilon(continuous: try accountant.epsilon(of: event, delta: slack.continuousDelta(for: 1e-5)))
    }

    @Test(arguments: PlanAccountant.allCases)
    func aBudgetIsMetAndNotWasted(accountant: PlanAccountant) throws {
        let made = try plan(.epsilon(2), accountant: accountant)
        let spent = try made.epsilon()
        #expect(spent <= 2)
        // The calibration's tolerance is 2e-5 in z; ε falls no faster than z⁻⁴ here.
        let least: Double = 2 * (1 - 1e-4)
        #expect(spent > least)
        #expect(made.epsilonBudget == 2)
        #expect(try made.epsilon(afterIterations: 10) < spent)
        #expect(try made.epsilon(afterIterations: 0) == 0)
    }

    @Test func epochsBecomeSteps() throws {
        let made = try PrivacyPlan(
            exampleCount: 60_000, expectedBatchSize: 600, epochs: 2.5, clipping: .flat(l2ClipNorm: 1),
            budget: .noiseMultiplier(1), delta: 1e-5)
        #expect(made.iterations == 250)
        #expect(made.normalizeBy == 600)
        let z = try Self.effective(1)
        #expect(
            try made.event() == .dpSGD(noiseMultiplier: z, samplingProbability: 600 / 60_000.0, iterations: 250))
        let other = try PrivacyPlan(
            exampleCount: 60_000, expectedBatchSize: 600, epochs: 2.5, clipping: .flat(l2ClipNorm: 1),
            budget: .noiseMultiplier(1), delta: 1e-5, accountant: .rdp, noise: .floatingPointGaussian)
        #expect(other.accountant == .rdp && other.noise.kind == "floatingPointGaussian")
        #expect(other.sampling == made.sampling && other.iterations == made.iterations)
    }

    /// Foot-gun: sensitivity doubled for replace-one by hand as well as by the accountant.
    @Test func theRelationIsTheAccountantsAffairAlone() throws {
        let one = try plan(relation: .addOrRemoveOne)
        let other = try plan(relation: .replaceOne)
        #expect(one.noiseMultiplier == other.noiseMultiplier)
        #expect(one.initialClippingRule == other.initialClippingRule)
        #expect(try one.event() == other.event())
        let expected = try Self.epsilon(
            of: .dpSGD(noiseMultiplier: Self.effective(1), samplingProbability: 0.05, iterations: 100), steps: 100,
            .replaceOne)
        #expect(try other.epsilon() == expected)
        #expect(try other.epsilon() > one.epsilon())
    }

    /// Foot-gun: Poisson accounting over shuffled data.
    @Test func shuffledDataHasNoAmplification() throws {
        let shuffled = SamplingScheme.shuffledEpochs(try ShuffledEpochs(exampleCount: 1000, batchSize: 50))
        let made = try plan(iterations: 40, relation: .replaceSpecial, sampling: shuffled)
        let twoEpochs = try PrivacyEvent.selfComposed(.gaussian(noiseMultiplier: Self.effective(1)), count: 2)
        let expected = try Self.epsilon(of: twoEpochs, steps: 40, .replaceSpecial)
        #expect(try made.epsilon() == expected)
        let amplified = try plan(iterations: 40, relation: .replaceSpecial).epsilon()
        #expect(expected > 2 * amplified)
        #expect(throws: PlanError.self) { try plan(iterations: 40, relation: .addOrRemoveOne, sampling: shuffled) }
    }

    @Test func aSamplerThatTheAccountantDoesNotKnowIsRefused() throws {
        let drawn = SamplingScheme.fixedSize(
            try FixedSizeSampler(exampleCount: 1000, batchSize: 50, isWithReplacement: true))
        #expect(throws: AccountingError.self) {
            try plan(.epsilon(1), relation: .replaceOne, sampling: drawn, accountant: .rdp)
        }
        let made = try plan(.epsilon(8), relation: .replaceOne, sampling: drawn)
        #expect(try made.epsilon() <= 8)
    }

    /// Foot-gun: N from the drawn batch. There is no place to put one.
    @Test func theDivisorIsTheExpectedBatchSize() throws {
        #expect(try plan().initialClippingRule.normalizeBy == 50)
        let file = #"{"method": "threshold", "l2ClipNorm": 1, "normalizeBy": 37}"#
        #expect(throws: PrivacyMechanismError.divisorInPlan) {
            try JSONDecoder().decode(PlannedClipping.self, from: Data(file.utf8))
        }
    }

    @Test func adaptiveClippingTakesItsShareOfTheNoise() throws {
        let adaptive = try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 2.5)
        let made = try plan(.epsilon(2), clipping: .adaptiveQuantile(adaptive))
        let z = made.noiseMultiplier
        #expect(made.gradientNoiseMultiplier > z)
        let together = 1 / pow(made.gradientNoiseMultiplier, 2) + 1 / 25
        #expect(abs(together * z * z - 1) < 1e-12)
        #expect(try made.event() == plan(.noiseMultiplier(z)).event())
        #expect(throws: PrivacyMechanismError.self) {
            try plan(.noiseMultiplier(5), clipping: .adaptiveQuantile(adaptive))
        }
    }

    /// Noise that needs one sensitivity in all steps is refused with the plan, not in the middle of a run.
    @Test func noiseMustGoWithTheClipping() throws {
        let adaptive = PlannedClipping.adaptiveQuantile(
            try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 2.5))
        let error = PlanError.noiseDoesNotFitClipping(noise: "rigid", clipping: "adaptive-quantile")
        #expect(throws: error) { try PrivacyPlan.check(RigidNoise(), fits: adaptive) }
        try PrivacyPlan.check(RigidNoise(), fits: .flat(l2ClipNorm: 1))
        try PrivacyPlan.check(NoiseScheme.discreteGaussian.mechanism, fits: adaptive)
        #expect("\(error)".contains("rigid") && "\(error)".contains("adaptive-quantile"))
    }

    @Test func badInputIsNamed() throws {
        #expect(throws: PlanError.outOfRange(name: "iterations", value: "-1", allowed: "at least 0")) {
            try plan(iterations: -1)
        }
        for delta in [-0.1, 1, .nan] { #expect(throws: PlanError.self) { try plan(delta: delta) } }
        #expect(throws: PlanError.self) { try plan(.epsilon(1), delta: 0) }
        for epsilon in [0, -1, .nan, .infinity] {
            #expect(throws: AccountingError.self) { try plan(.epsilon(epsilon)) }
        }
        for z in [-1, .nan, .infinity] { #expect(throws: PrivacyMechanismError.self) { try plan(.noiseMultiplier(z)) } }
        #expect(throws: PlanError.unboundedClipping) { try plan(clipping: .flat(l2ClipNorm: .infinity)) }
        #expect(throws: PrivacyMechanismError.self) { try plan(clipping: .flat(l2ClipNorm: -1)) }
        #expect(throws: PlanError.unitMismatch(promised: .user, sampled: .example)) { try plan(unit: .user) }
        #expect(throws: PlanError.self) { try plan(sampling: Self.poisson(exampleCount: 10, probability: 0)) }
        for batch in [0, 11, .nan] {
            #expect(throws: PlanError.self) {
                try PrivacyPlan(
                    exampleCount: 10, expectedBatchSize: batch, epochs: 1, clipping: .flat(l2ClipNorm: 1),
                    budget: .noiseMultiplier(1), delta: 1e-5)
            }
        }
        for epochs in [-1, .nan, .infinity, 1e30] {
            #expect(throws: PlanError.self) {
                try PrivacyPlan(
                    exampleCount: 10, expectedBatchSize: 1, epochs: epochs, clipping: .flat(l2ClipNorm: 1),
                    budget: .noiseMultiplier(1), delta: 1e-5)
            }
        }
    }

    @Test func aBudgetThatNoNoiseMeetsSaysWhatWould() throws {
        // Shuffling composes without amplification, but any ε can be met; ρ-free budgets below the grid cannot.
        let error = #expect(throws: AccountingError.self) { try plan(.epsilon(1e-300), delta: 1e-300) }
        guard case .unattainable(_, _, _, let best, let remedy) = error else {
            Issue.record("\(String(describing: error)) does not say that the budget is out of reach")
            return
        }
        #expect(best > 1e-300)
        #expect(!remedy.isEmpty)
    }
}

/// Noise that needs the same sensitivity in every step.
private struct RigidNoise: NoiseMechanism {
    struct Checkpoint: Codable, Sendable {}
    static let kind = "rigid"
    var allowsChangingSensitivity: Bool { false }

    func event(of pattern: ParticipationPattern, noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent {
        .nonPrivate
    }

    func slack(steps: Int) -> ContinuousCoverSlack? { nil }

    var sums: SumArithmetic { .exact }

    func begin(nonPrivateSeed seed: UInt64?) -> Noise { Noise(.discreteGaussian) }

    func resume(from checkpoint: Checkpoint, nonPrivateSeed seed: UInt64?) -> Noise { Noise(.discreteGaussian) }
}
