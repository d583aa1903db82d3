import Foundation
import Testing

@testable import PrivacyAccounting

/// Settings at which a fixed grid of losses is far too coarse, or a transform has no accuracy left.
@Suite struct PrivacyLossDistributionAccountantTests {
    /// Without noise the lower end may be ∞ − ∞: it is infinite, too, and never not a number.
    @Test func withoutNoiseNoLowerEndIsMadeUp() throws {
        for steps in [1, 40] {
            let event = try PrivacyEvent.dpSGD(noiseMultiplier: 0, samplingProbability: 0.2, iterations: steps)
            let bounds = try PrivacyLossDistributionAccountant().epsilonBounds(of: event, delta: 1e-5)
            #expect(bounds.upper == .infinity && bounds.lower == .infinity)
        }
    }

    private static let accountant = PrivacyLossDistributionAccountant()

    private static func event(_ z: Double, _ q: Double, _ steps: Int) throws -> PrivacyEvent {
        try .dpSGD(noiseMultiplier: z, samplingProbability: q, iterations: steps)
    }

    struct Row: Sendable {
        let (z, q, steps, delta, epsilon): (Double, Double, Int, Double, Double)

        init(_ z: Double, _ q: Double, _ steps: Int, _ delta: Double, _ epsilon: Double) {
            (self.z, self.q, self.steps, self.delta, self.epsilon) = (z, q, steps, delta, epsilon)
        }
    }

    /// A step's loss is of the order of 10⁻⁶ to 10⁻¹². ε by a contour integral in another program, to the digits given.
    @Test(arguments: [
        Row(1, 1e-6, 1_000_000, 1e-5, 0.0027), Row(2, 1e-5, 1_000_000, 1e-8, 0.0229),
        Row(95.9, 8.9e-4, 253_190, 9.5e-7, 0.0148), Row(2.59, 2.6e-6, 22_000_000, 6.1e-13, 0.0295),
        Row(87.4, 8.1e-5, 880_000_000, 2e-14, 0.187),
    ])
    func tinyLossesAreResolved(row: Row) throws {
        let bounds = try Self.accountant.epsilonBounds(of: Self.event(row.z, row.q, row.steps), delta: row.delta)
        #expect(bounds.upper - bounds.lower < 1e-5 * bounds.upper, "\(bounds)")
        #expect(abs(bounds.upper / row.epsilon - 1) < 0.02, "\(bounds)")
    }

    @Test func whatCostsNextToNothingCostsNothing() throws {
        // δ(0) is 1.65·10⁻⁸.
        let event = try Self.event(1, 1e-12, 1_000_000_000)
        #expect(try Self.accountant.epsilon(of: event, delta: 1e-5) == 0)
        #expect(try abs(Self.accountant.delta(of: event, epsilon: 0) / 1.65e-8 - 1) < 0.6)
        #expect(try Self.accountant.epsilon(of: event, delta: 1e-9) > 0)
    }

    /// δ far below 10⁻¹², where single large losses share it with many small ones: log₁₀ δ by direct convolution of
    /// positive numbers on a uniform grid, in another program, where the grid's spacing no longer matters.
    @Test(arguments: [(2.0, 0.001, 2000, 2.0, -67.48), (2.5, 0.0003, 500, 1.0, -104.0)])
    func tinyDeltasAreResolved(z: Double, q: Double, steps: Int, epsilon: Double, logDelta: Double) throws {
        let bounds = try Self.accountant.deltaBounds(of: Self.event(z, q, steps), epsilon: epsilon)
        #expect(bounds.upper <= 1.02 * bounds.lower, "\(bounds)")
        #expect(abs(log10(bounds.upper) - logDelta) < 0.2, "\(bounds)")
    }

    @Test func aBoundIsGivenBelowTheLeastDelta() throws {
        let bounds = try Self.accountant.deltaBounds(of: Self.event(8, 0.004, 5000), epsilon: 2)
        #expect(bounds.lower == 0 && bounds.upper > 0 && bounds.upper <= 1e-280)
    }

    /// As many steps as can be counted. T·q² = 9.2, so that they are like a Gaussian mechanism with μ² = T·q²·(e − 1).
    @Test func anyNumberOfStepsIsAnswered() throws {
        let bounds = try Self.accountant.epsilonBounds(of: Self.event(1, 1e-9, .max), delta: 1e-5)
        let mu = (Double(Int.max) * 1e-18 * (M_E - 1)).squareRoot()
        #expect(abs(bounds.upper / GaussianDifferentialPrivacy.epsilon(delta: 1e-5, mu: mu) - 1) < 1e-3, "\(bounds)")
        #expect(bounds.lower > 0.999 * bounds.upper)
        for z in [1e8, 1e3, 1] {
            let epsilon = try Self.accountant.epsilon(of: Self.event(z, 0.01, .max), delta: 1e-5)
            #expect(epsilon > 0, "\(z)")
        }
    }

    @Test func aTightBudgetOfManyStepsIsMet() throws {
        let calibration = try Calibration(Self.accountant, epsilon: 0.05, delta: 1e-8, relativeTolerance: 1e-3)
        let z = try calibration.noiseMultiplier { z throws(AccountingError) in
            try .dpSGD(noiseMultiplier: z, samplingProbability: 1e-6, iterations: 1_000_000)
        }
        #expect(abs(z / 0.58 - 1) < 0.03)
    }

    /// Over the settings at which the grid was above Rényi's bound, or its ends apart: never above, and 1 % apart at
    /// most.
    @Test(arguments: [0.5, 5]) func endsAreClose(z: Double) throws {
        for q in [1e-5, 1e-2, 0.5] {
            for steps in [1, 30, 1000, 50_000] {
                for delta in [1e-3, 1e-10] {
                    let event = try Self.event(z, q, steps)
                    let bounds = try Self.accountant.epsilonBounds(of: event, delta: delta)
                    let rdp = try RenyiAccountant(relation: .addOrRemoveOne).epsilon(of: event, delta: delta)
                    #expect(bounds.upper <= rdp && bounds.lower <= bounds.upper, "\(q) \(steps) \(delta): \(bounds)")
                    #expect(bounds.lower >= 0.99 * bounds.upper, "\(q) \(steps) \(delta): \(bounds)")
                    if try Self.accountant.delta(of: event, epsilon: 0) <= delta { #expect(bounds.upper == 0) }
                }
            }
        }
    }

    /// A composition of one step is the step, in closed form.
    @Test func oneStepIsTheStep() throws {
        for (z, q) in [(1.0, 0.1), (0.6, 0.01), (5, 0.5)] {
            for epsilon in [0.01, 0.3, 2] {
                let removal = q * GaussianDifferentialPrivacy.delta(epsilon: log1p(expm1(epsilon) / q), mu: 1 / z)
                let bounds = try Self.accountant.deltaBounds(of: Self.event(z, q, 1), epsilon: epsilon)
                // Adding costs less than removing here.
                #expect(bounds.lower <= removal * (1 + 1e-9) && removal * (1 - 1e-9) <= bounds.upper)
                #expect(bounds.upper - bounds.lower < 0.01 * bounds.upper)
            }
        }
    }

    /// Losses of thousands, and of more than a Float64's exponent: right values by sums of cells that are three times
    /// as narrow, and by mpmath in 60 digits.
    @Test func littleNoiseIsBracketed() throws {
        let wide = try Self.accountant.epsilonBounds(of: Self.event(0.1, 0.5, 300), delta: 1e-3)
        #expect(wide.lower <= 8687.38 && wide.upper >= 8687.36 && wide.upper - wide.lower < 1, "\(wide)")
        for (mu, epsilon, delta) in [
            (38.2, 712, 0.33079), (38.2, 720, 0.2911), (37, 715, 0.0961), (38.6, 720, 0.3634), (39, 740, 0.34256),
        ] as [(Double, Double, Double)] {
            let bounds = try Self.accountant.deltaBounds(of: Self.event(1 / mu, 0.5, 1), epsilon: epsilon)
            #expect(bounds.lower <= delta * 1.0002 && bounds.upper >= delta * 0.9998, "\(mu) \(epsilon): \(bounds)")
        }
    }

    /// Rates next to 1: 1 − q + q·e^y is a sum of positive numbers. What removing costs at q = 1 is nearly reached.
    @Test func ratesNextToOneAreResolved() throws {
        let q = 1 - 0x1p-53
        for relation in NeighboringRelation.allCases {
            let accountant = PrivacyLossDistributionAccountant(relation: relation)
            let bounds = try accountant.epsilonBounds(of: Self.event(2, q, 200), delta: 1e-6)
            let whole = try accountant.epsilon(of: Self.event(2, 1, 200), delta: 1e-6)
            #expect(bounds.lower <= whole * (1 + 1e-8) && abs(bounds.upper / whole - 1) < 1e-3, "\(bounds) \(whole)")
        }
        // log(1 − q + q·e^y) where 1 + q(e^y − 1) has no digit left.
        let loss = GaussianPair.sampledLoss(-60, probability: q)
        #expect(abs(loss - log(0x1p-53)) < 1e-9)
    }

    /// More steps than roundings can be counted for: Rényi's bound, or none, and never 0.
    @Test func nothingIsClaimedOfTooManySteps() throws {
        #expect(try Self.accountant.epsilon(of: Self.event(1e6, 0.5, .max), delta: 0.999) > 1.1e6)
        let allocated = try PrivacyEvent.randomAllocated(steps: .max, participations: .max - 1, noiseMultiplier: 1e6)
        let bounds = try Self.accountant.epsilonBounds(of: allocated, delta: 1e-10)
        #expect(bounds.upper >= bounds.lower && bounds.lower > 1e6)
        let truncated = try PrivacyEvent.truncatedPoissonSampledGaussian(
            datasetSize: 10, probability: 0.5, truncatedBatchSize: .max, noiseMultiplier: 1)
        #expect(
            try PrivacyLossDistributionAccountant(relation: .replaceSpecial).epsilon(of: truncated, delta: 0.01) > 0)
        #expect(try Self.accountant.delta(of: .gaussian(noiseMultiplier: 1e165), epsilon: 0) > 0)
    }
}
