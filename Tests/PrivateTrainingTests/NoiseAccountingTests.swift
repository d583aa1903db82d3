import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

/// What discrete noise costs beside the continuous noise that covers it, and what noise a plan can have.
@Suite struct NoiseAccountingTests {
    private static func plan(
        _ budget: PrivacyPlan.Budget, noise: PlannedNoise = .discreteGaussian, steps: Int = 100,
        clipping: PlannedClipping = .flat(l2ClipNorm: 1), accountant: PlanAccountant = .pld
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: 1000, samplingProbability: 0.05)), iterations: steps,
            clipping: clipping, budget: budget, delta: 1e-5, accountant: accountant, noise: noise)
    }

    /// T·2⁴⁰·log((1 + e)/(1 − e)), e = 2·exp(−8π²): by hand, 2⁴⁰·4·exp(−8π²) = 2.26·10⁻²² for each step.
    @Test func theSlackIsThatOfAllStepsOverTwoToTheFortyCoordinates() throws {
        let byHand = 0x1p40 * 4 * exp(-8 * Double.pi * Double.pi)
        for steps in [0, 1, 100_000] {
            let slack = try #require(try NoiseScheme.discreteGaussian.mechanism.slack(steps: steps))
            #expect(slack.value >= Double(steps) * byHand)
            #expect(slack.value <= Double(steps) * byHand * (1 + 1e-9))
        }
        #expect(try NoiseScheme.floatingPointGaussian.mechanism.slack(steps: 5) == nil)
    }

    /// ε of a plan is not below that of its event at δ, nor of the same noise if it were continuous.
    @Test(arguments: PlanAccountant.allCases)
    func epsilonIsNeverBelowThatOfContinuousNoise(accountant: PlanAccountant) throws {
        for z in [0.5, 1, 4, 40] {
            let plan = try Self.plan(.noiseMultiplier(z), accountant: accountant)
            let continuous = try Self.plan(.noiseMultiplier(z), noise: .floatingPointGaussian, accountant: accountant)
            let bare = accountant.make(relation: .addOrRemoveOne)
            let slack = try #require(try plan.noise.mechanism.slack(steps: 100))
            let covered = try bare.epsilon(of: plan.event(), delta: slack.continuousDelta(for: 1e-5))
            #expect(try plan.epsilon() > covered)
            #expect(try plan.epsilon() >= continuous.epsilon())
            // z_eff is off by a relative 2⁻⁴² at most, and ε falls no faster than z⁻⁴ here; numerics add 10⁻⁹.
            #expect(try plan.epsilon() <= continuous.epsilon() * (1 + 1e-8))
        }
    }

    /// A slack that is large enough to be seen, and the twin that forgets it.
    @Test func aCoveredAccountantAddsItsSlackToBothAnswers() throws {
        let bare = PrivacyLossDistributionAccountant(relation: .addOrRemoveOne)
        let event = try PrivacyEvent.gaussian(noiseMultiplier: 2)
        // 10¹⁸ steps of 10¹⁵ coordinates: s = 0.2.
        let slack = try ContinuousGaussianCover(sigma: 2000, sensitivity: 1)
            .slack(releases: 1_000_000_000_000_000_000, coordinates: 1_000_000_000_000_000)
        #expect(slack.value > 0.19 && slack.value < 0.22)
        let covered = bare.covering(slack)
        #expect(type(of: covered).name == "pld" && covered.relation == .addOrRemoveOne)
        let epsilon = try covered.epsilon(of: event, delta: 1e-5)
        let expected = try bare.epsilon(of: event, delta: 1e-5 * exp(-slack.value)) + 2 * slack.value
        #expect(abs(epsilon - expected) < 1e-9)
        let ends = try covered.epsilonEnds(of: event, delta: 1e-5)
        #expect(ends.upper == epsilon)
        #expect(ends.lower == (try bare.epsilonEnds(of: event, delta: 1e-5).lower))
        // δ at that ε is at most the δ that was asked for, up to what the accountant's two answers differ by.
        let delta = try covered.delta(of: event, epsilon: epsilon)
        #expect(delta < 1e-5 * (1 + 1e-6) && delta > 1e-5 * (1 - 0.01))
        let deltaEnds = try covered.deltaEnds(of: event, epsilon: epsilon)
        #expect(deltaEnds.upper == delta)
        #expect(deltaEnds.lower == (try bare.deltaEnds(of: event, epsilon: epsilon).lower))
        #expect(try bare.epsilon(of: event, delta: 1e-5) < expected - 0.3)
    }

    /// However z is divided between sums and counts, the parts together are covered by the event's multiplier:
    /// z_g,eff⁻² + (2σ_b,eff)⁻² ≤ z_eff⁻², each part on the grid that it gets.
    @Test func countsAndSumsTogetherAreCovered() throws {
        for z in [0.001, 0.5, 1, 3.99, 4.01, 12, 15.9, 17, 100] {
            for share in [0.01, 0.5, 0.9, 0.999, 0.9999999] {
                let count = z / (2 * share)
                let adaptive = try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: count)
                let zOfSums = try adaptive.gradientNoiseMultiplier(forTotal: z)
                guard
                    let grid = try NoiseScheme.discreteGaussian.grid(
                        of: .flat(l2ClipNorm: 1), noiseMultiplier: zOfSums, layout: nil)
                else {
                    Issue.record("no grid")
                    return
                }
                // Variances in units of sensitivity: σ² − 2², over M² and over the count's 2ᵏ units of a half.
                let ofSums = zOfSums * zOfSums - 4 / (grid.sensitivity * grid.sensitivity)
                let exponent = max(0, min(34, 24 - Int((2 * count).exponent)))
                let ofCounts = 4 * count * count - 4 * pow(2, -2 * Double(exponent))
                let effective = try Self.effective(z)
                // z_eff is rounded down by 2⁻⁵⁰, and so its square by more than what is rounded here.
                #expect(1 / ofSums + 1 / ofCounts <= 1 / (effective * effective))
                // The broken twin takes the noise as continuous.
                if z == 0.001 { #expect(1 / ofSums + 1 / ofCounts > 1 / (z * z)) }
            }
        }
    }

    private static func effective(_ z: Double) throws -> Double {
        let event = try NoiseScheme.discreteGaussian.event(
            of: SamplingScheme.poisson(PoissonSampler(exampleCount: 10, samplingProbability: 1)).participation(in: 1),
            noiseMultiplier: z)
        let sigma = min(z * min(0x1p22, pow(2, log2(0x1p26 / max(z, 1)).rounded(.down))), 0x1p24)
        let effective = try ContinuousGaussianCover(sigma: sigma, sensitivity: sigma / z).effectiveNoiseMultiplier
        #expect(try event == .dpSGD(noiseMultiplier: effective, samplingProbability: 1, iterations: 1))
        return effective
    }

    @Test func noiseThatIsTooSmallForTheGridIsRefused() throws {
        let least = 0x1p-12
        #expect(NoiseScheme.discreteGaussian.leastMultiplier == least)
        let error = PrivacyMechanismError.noiseTooSmallForGrid(noiseMultiplier: 2e-4, least: least)
        #expect(throws: error) { try Self.plan(.noiseMultiplier(2e-4)) }
        #expect(["0.0002", "0.000244", "floating-point Gaussian"].allSatisfy("\(error)".contains))
        #expect(throws: PrivacyMechanismError.self) { try Self.plan(.noiseMultiplier(least.nextDown)) }
        _ = try Self.plan(.noiseMultiplier(least))
        _ = try Self.plan(.noiseMultiplier(2e-4), noise: .floatingPointGaussian)
        #expect(try Self.plan(.noiseMultiplier(0)).epsilon() == .infinity)
    }

    /// A budget that less noise would meet gets the least that there is.
    @Test func aVastBudgetHasTheLeastNoise() throws {
        let plan = try PrivacyPlan(
            sampling: .poisson(PoissonSampler(exampleCount: 1000, samplingProbability: 1)), iterations: 1,
            clipping: .flat(l2ClipNorm: 1), budget: .epsilon(1e12), delta: 1e-5)
        #expect(plan.noiseMultiplier >= 0x1p-12 && plan.noiseMultiplier < 0x1p-12 * (1 + 1e-4))
        #expect(try plan.epsilon() <= 1e12)
    }

    @Test func countsThatTheSamplerCannotDrawAreRefused() throws {
        func clipping(_ deviation: Double) throws -> PlannedClipping {
            .adaptiveQuantile(try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: deviation))
        }
        _ = try Self.plan(.noiseMultiplier(1), clipping: clipping(0x1p25))
        let error = #expect(throws: PrivacyMechanismError.self) {
            try Self.plan(.noiseMultiplier(1), clipping: clipping((0x1p25).nextUp))
        }
        #expect(String(describing: error).contains("countNoiseMultiplier"))
        _ = try Self.plan(.noiseMultiplier(1), noise: .floatingPointGaussian, clipping: clipping(1e9))
    }

    /// What the grid would take up is told before the first step.
    @Test func aRunWhoseLayoutTheGridDoesNotFitIsRefused() throws {
        let plan = try Self.plan(.noiseMultiplier(1), clipping: .perSubtree(l2ClipNorms: ["a": 1, "b": 1e-9]))
        let layout = try TreeLayout([("a", [4]), ("b", [400])])
        let error = #expect(throws: PrivacyMechanismError.self) {
            _ = try PrivateRun(plan, optimizer: sgd(learningRate: 1), parameters: ParameterVector(zeros: layout))
        }
        guard case .clipNormTooSmallForGrid(1e-9, columns: 400, _) = error else {
            Issue.record("\(String(describing: error)) does not name the clip norm")
            return
        }
    }

    @Test func aSumWithMoreColumnsThanAreAccountedForTraps() async {
        let outcome = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let layout = try TreeLayout([("x", [1 << 40])])
            _ = try NoiseScheme.discreteGaussian.grid(of: .flat(l2ClipNorm: 1), noiseMultiplier: 1, layout: layout)
        }
        let text = String(decoding: outcome?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("1099511627776 columns"))
    }
}
