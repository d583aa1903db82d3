import PrivateTraining
import Testing

@Suite struct PlanWarningTests {
    private func plan(
        delta: Double = 1e-6, budget: PrivacyPlan.Budget = .epsilon(2), examples: Int = 10_000, batch: Double = 1000
    ) throws -> PrivacyPlan {
        try PrivacyPlan(
            exampleCount: examples, expectedBatchSize: batch, epochs: 10, clipping: .flat(l2ClipNorm: 1),
            budget: budget,
            delta: delta)
    }

    @Test func aUsualPlanHasNone() throws {
        #expect(try plan().warnings(parameterCount: 1000).isEmpty)
    }

    @Test func aLargeDeltaIsNamed() throws {
        #expect(try plan(delta: 1e-4).warnings() == [.largeDelta(1e-4, units: 10_000, unit: .example)])
        #expect(try plan(delta: 0.99e-4).warnings().isEmpty)
    }

    /// δ is held against the number of those who are protected: between 1/examples and 1/users it is small enough.
    @Test func deltaIsHeldAgainstTheUnitsNumber() throws {
        let owners = (0..<10_000).map { $0 / 100 }
        let users = try UserSampler(owners: owners, userCount: 100, samplingProbability: 0.1)
        func plan(delta: Double) throws -> PrivacyPlan {
            try PrivacyPlan(
                sampling: .user(users), iterations: 10, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(5),
                delta: delta, unit: .user)
        }
        let between = try plan(delta: 1e-3)
        #expect(between.unitCount == 100)
        #expect(between.warnings().isEmpty)
        #expect(!PrivacyReport(of: between).notCovered.contains { $0.contains("in full") })
        let large = try plan(delta: 1e-2)
        #expect(large.warnings() == [.largeDelta(1e-2, units: 100, unit: .user)])
        #expect(PrivacyReport(of: large).notCovered.contains { $0.contains("One user in full") })
    }

    @Test func aLargeEpsilonAndNoNoiseAreNamed() throws {
        #expect(try plan(budget: .epsilon(21)).warnings().count == 1)
        #expect(try plan(budget: .epsilon(19)).warnings().isEmpty)
        #expect(try plan(budget: .noiseMultiplier(0)).warnings(parameterCount: 10) == [.noNoise])
    }

    /// z·√(d/T)/N against one, by hand: 100 steps, N = 1000, z = 5: d = 4·10⁶ is the edge.
    @Test func drownedSignalsAreNamed() throws {
        let plan = try plan(budget: .noiseMultiplier(5))
        #expect(plan.iterations == 100)
        #expect(abs(plan.noiseToSignalRatio(parameterCount: 4_000_000) - 1) < 1e-12)
        #expect(plan.warnings(parameterCount: 3_900_000).isEmpty)
        guard case .drowned(let ratio)? = plan.warnings(parameterCount: 4_100_000).first else {
            Issue.record("no warning")
            return
        }
        #expect(ratio > 1)
        // The deviation of a mean's coordinate: z·C/N.
        #expect(abs(plan.noiseDeviationOfMean - 0.005) < 1e-9)
    }

    /// Noise that is correlated drowns less: of C = ((1, 0), (c, 1)) the noise of two steps adds up to (1 − c)z₁ + z₂,
    /// with deviations of z·√(1 + c²). Of C = 1, and of a strategy that begins anew in each step, it is that of
    /// independent noise.
    @Test func correlatedNoiseIsCountedAsItAddsUp() throws {
        func plan(_ noise: PlannedNoise) throws -> PrivacyPlan {
            try PrivacyPlan(
                sampling: .cyclicPoisson(
                    CyclicPoissonSampler(exampleCount: 1000, bands: 2, samplingProbability: 0.2)), iterations: 2,
                clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(5), delta: 1e-6, noise: noise)
        }
        let c = 0.5
        let plans = [
            try plan(.discreteGaussian),
            try plan(.correlated(.identity(IdentityStrategy(steps: 2)))),
            try plan(.correlated(.identity(IdentityStrategy(steps: 1)), restarts: true)),
            try plan(.correlated(.bandedToeplitz(ToeplitzStrategy(coefficients: [1, c], steps: 2)))),
        ]
        // z·√(d/T)/N = 5·√50/100.
        let ratios = plans.map { $0.noiseToSignalRatio(parameterCount: 100) }
        let independent = 5 * 50.0.squareRoot() / 100
        let grown = ((1 + c * c) * ((1 - c) * (1 - c) + 1)).squareRoot()
        let expected = [independent, independent, independent, 5 * 10 * grown / (2 * 100)]
        // A few roundings of each, and what the norm is rounded up by.
        for (ratio, expected) in zip(ratios, expected) { #expect(abs(ratio / expected - 1) < 1e-12) }
        #expect(expected[3] < 0.9 * independent)
    }

    @Test func floatingPointNoiseIsNamed() throws {
        func plan(_ noise: PlannedNoise, z: Double) throws -> PrivacyPlan {
            try PrivacyPlan(
                sampling: .poisson(PoissonSampler(exampleCount: 10_000, samplingProbability: 0.1)), iterations: 100,
                clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(z), delta: 1e-6, noise: noise)
        }
        #expect(try plan(.floatingPointGaussian, z: 5).warnings() == [.floatingPointNoise])
        #expect(try plan(.discreteGaussian, z: 5).warnings().isEmpty)
        #expect(try plan(.floatingPointGaussian, z: 0).warnings() == [.noNoise])
    }

    @Test func eachSaysWhatToDo() {
        let warnings: [PlanWarning] = [
            .largeDelta(1e-2, units: 5000, unit: .example), .largeEpsilon(25, unit: .user), .noNoise,
            .drowned(ratio: 4),
            .floatingPointNoise,
        ]
        #expect(warnings.allSatisfy { $0.description.hasSuffix(".") })
        #expect(warnings[0].description.contains("1e-05") && warnings[0].description.contains("1/5000"))
    }
}
