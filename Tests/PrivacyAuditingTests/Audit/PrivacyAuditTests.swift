import Networks
import PrivateTraining
import Testing

@testable import PrivacyAuditing

@Suite struct PrivacyAuditTests {
    private func plan(examples: Int, steps: Int = 3, noiseMultiplier z: Double = 1) throws -> PrivacyPlan {
        try TwinCase.plan(
            .poisson(PoissonSampler(exampleCount: examples, samplingProbability: 0.5)), steps, noiseMultiplier: z)
    }

    /// The digits, both kinds of canaries, additional or in the places of the last examples.
    @Test(arguments: [CanaryKind.gradient, .label], [0, 100])
    func digitsAreAudited(kind: CanaryKind, additional: Int) throws {
        let digits = Digits.split.train
        let audit = try PrivacyAudit(
            plan(examples: digits.count + additional), canaryCount: 100, kind: kind, nonPrivateSeed: 5)
        let network = try Network(NetworkArchitecture(specification: "mlp:20", featureCount: 64, outputCount: 10))
        var steps: [Int] = []
        let scores = try audit.scores(of: network, on: digits, optimizer: IdentityAugmented(sgd(learningRate: 0.5))) {
            steps.append($0)
        }
        #expect(steps == [1, 2, 3] && scores.count == 100)
        let report = try AuditReport(audit, scores)
        #expect(try report.survived && report.epsilon == audit.plan.epsilon() && report.canaryCount == 100)
        #expect(report.bound.statistic == (kind == .label ? .oneRun : .planFamily))
        #expect(Set(report.bounds.map(\.statistic)) == Set(AuditStatistic.allCases))
    }

    /// Without noise, nearly every canary is told apart; a claim of any ε is refuted.
    @Test func withoutNoiseCanariesAreSeen() throws {
        let digits = Digits.split.train
        let audit = try PrivacyAudit(
            plan(examples: digits.count, noiseMultiplier: 0), canaryCount: 200, nonPrivateSeed: 6)
        let network = try Network(NetworkArchitecture(specification: "mlp:20", featureCount: 64, outputCount: 10))
        let scores = try audit.scores(of: network, on: digits, optimizer: sgd(learningRate: 0.5))
        #expect(
            scores == (try audit.scores(of: network, on: digits, optimizer: IdentityAugmented(sgd(learningRate: 0.5)))))
        // An eighth is never drawn.
        #expect(try scores.value(of: .areaUnderCurve) > 0.85)
        #expect(try audit.epsilonLowerBound(scores, .clopperPearson, confidence: 0.95).epsilon > 2)
    }

    @Test func dataThatDoNotFitAreRefused() throws {
        let digits = Digits.split.train
        let audit = try PrivacyAudit(plan(examples: digits.count + 7), canaryCount: 100)
        let network = try Network(NetworkArchitecture(specification: "mlp:20", featureCount: 64, outputCount: 10))
        let error = AuditingError.exampleCountMismatch(
            planned: digits.count + 7, canaries: 100, found: digits.count)
        #expect(throws: error) {
            try audit.scores(of: network, on: digits, optimizer: IdentityAugmented(sgd(learningRate: 0.5)))
        }
        #expect(throws: AuditingError.self) { try PrivacyAudit(plan(examples: 10), canaryCount: 11) }
    }

    /// A smaller noise multiplier has a larger total variation, and the bound comes back to the plan's ε at its own.
    @Test func theFamilyKnowsItsMembers() throws {
        for (plan, tolerance) in [
            (try TwinCase.wholeBatch(noiseMultiplier: 1), 1e-3), (try plan(examples: 100, steps: 10), 5e-3),
        ] {
            let truth = try plan.accountant(.pld).delta(of: plan.event(), epsilon: 0)
            let found = try PlanFamily(plan).epsilon(totalVariation: truth)
            let epsilon = try plan.epsilon()
            // Multipliers are found to 5e-4.
            #expect(found <= epsilon && found >= epsilon * (1 - tolerance))
            #expect(try PlanFamily(plan).epsilon(totalVariation: 0) == 0)
            #expect(try PlanFamily(plan).epsilon(totalVariation: min(1, truth * 1.1)) > epsilon)
        }
    }
}
