import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining
import PyTrees
import Testing

@Suite struct PrivacyReportTests {
    private func plan(z: Double = 1, clipping: PlannedClipping = .flat(l2ClipNorm: 2)) throws -> PrivacyPlan {
        try PrivacyPlan(
            exampleCount: 1000, expectedBatchSize: 50, epochs: 5, clipping: clipping, budget: .noiseMultiplier(z),
            delta: 1e-5)
    }

    @Test func itSaysWhatThePlanPromises() throws {
        let plan = try plan()
        let report = PrivacyReport(of: plan)
        #expect(report.stepsTaken == 100)
        // 2/50, rounded up by at most one unit.
        let sensitivity = try #require(report.sensitivity)
        #expect(sensitivity >= 0.04 && sensitivity <= 0.04.nextUp)
        #expect(report.noiseStandardDeviation == report.sensitivity)
        #expect(report.guarantees.map(\.accountant) == PlanAccountant.allCases.map(\.rawValue))
        #expect(report.guarantees[0].epsilon == (try plan.epsilon()))
        let lower = try #require(report.guarantees[0].lowerBound)
        #expect(lower <= report.guarantees[0].epsilon!)
        let mu = try #require(report.equivalentMu)
        // The Gaussian mechanism of this μ has the same ε at δ, to the accuracy of the root that was found.
        let same = try GaussianDifferentialPrivacy(mu: mu).epsilon(delta: 1e-5)
        #expect(abs(same / report.guarantees[0].epsilon! - 1) < 1e-6)
    }

    @Test func theTextNamesEverything() throws {
        let report = PrivacyReport(
            of: try plan(), stepsTaken: 40, isSeeded: true, interruptions: 2, notCovered: ["A sentence of the data's."])
        for part in [
            "each example", "add-or-remove-one", "40 of 100", "poisson", "N = 50", "C = 2", "discreteGaussian", "z = 1",
            "Δ = 0.04 ",
            "ε by pld", "ε by rdp", "δ = 1e-05", "equivalent μ", "ε of all steps", "knows the seed",
            "interrupted (2 times)",
            "A sentence of the data's.", "Hyperparameters", "swift-private-training",
        ] { #expect(report.text.contains(part), "\(part)") }
        let whole = PrivacyReport(of: try plan()).text
        #expect(!whole.contains("seed") && !whole.contains("ε of all steps"))
    }

    /// Who stops by looking at results chose the number of steps by the data: only the ε of all of them holds.
    @Test func aRunThatStoppedEarlyTellsBoth() throws {
        let plan = try plan()
        let report = PrivacyReport(of: plan, stepsTaken: 40)
        #expect(report.guarantees[0].epsilon == (try plan.epsilon(afterIterations: 40)))
        #expect(report.plannedEpsilon == (try plan.epsilon()))
        #expect(report.notCovered.contains { $0.contains("stop after 40 steps") })
        let whole = PrivacyReport(of: plan)
        #expect(whole.plannedEpsilon == whole.guarantees[0].epsilon)
        #expect(!whole.notCovered.contains { $0.contains("stop after") })
    }

    @Test func whoOwnsWhichExampleIsNotInAReport() throws {
        let owners = [3, 3, 1, 0, 2, 2]
        let plan = try PrivacyPlan(
            sampling: .user(UserSampler(owners: owners, userCount: 4, samplingProbability: 0.5)), iterations: 2,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1), delta: 1e-5, unit: .user)
        let report = String(decoding: try JSONEncoder().encode(PrivacyReport(of: plan)), as: UTF8.self)
        #expect(!report.contains("owners"))
        // The broken twin: the plan itself has them.
        #expect(String(decoding: try JSONEncoder().encode(plan), as: UTF8.self).contains("owners"))
    }

    @Test func aDeltaThatOneRecordMeetsIsPointedOut() throws {
        func report(delta: Double) throws -> PrivacyReport {
            PrivacyReport(
                of: try PrivacyPlan(
                    exampleCount: 1000, expectedBatchSize: 50, epochs: 1, clipping: .flat(l2ClipNorm: 1),
                    budget: .noiseMultiplier(1), delta: delta))
        }
        #expect(try report(delta: 1e-3).notCovered.contains { $0.contains("One example in full") })
        #expect(try !report(delta: 9e-4).notCovered.contains { $0.contains("One example in full") })
    }

    @Test func anAccountantWithoutAnAnswerSaysSo() throws {
        let drawn = SamplingScheme.fixedSize(
            try FixedSizeSampler(exampleCount: 100, batchSize: 10, isWithReplacement: true))
        let plan = try PrivacyPlan(
            sampling: drawn, iterations: 10, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(2), delta: 1e-5,
            relation: .replaceOne)
        let report = PrivacyReport(of: plan)
        #expect(report.guarantees[0].accountant == "pld")
        #expect(report.guarantees[0].epsilon != nil)
        #expect(report.guarantees[1].refusal?.contains("rdp") == true)
        #expect(report.text.contains("no answer"))
    }

    @Test func noNoiseIsNoPrivacy() throws {
        let report = PrivacyReport(of: try plan(z: 0))
        #expect(report.guarantees.allSatisfy { $0.epsilon == .infinity })
        let text = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        #expect(text.contains(#""epsilon":"inf""#) && text.contains(#""plannedEpsilon":"inf""#))
        #expect(try JSONDecoder().decode(PrivacyReport.self, from: Data(text.utf8)) == report)
        #expect(report.text.contains("∞: not private"))
        #expect(report.text.contains("there is no noise"))
    }

    @Test func aPrefixTreeHasTheRootOfTheSumOfSquares() throws {
        let report = PrivacyReport(of: try plan(clipping: .perSubtree(l2ClipNorms: ["a": 3, "b": 4])))
        // 5/50, rounded up by a few units in the last place: two squares and a root.
        #expect(report.sensitivity! >= 0.1 && report.sensitivity! < 0.1 * (1 + 0x1p-48))
    }

    @Test func boundsAreRoundedOutward() throws {
        let report = PrivacyReport(of: try plan())
        let shown = try #require(report.text.firstMatch(of: #/ε by pld +([0-9.]+) /#)?.1)
        #expect(Double(shown)! >= report.guarantees[0].epsilon!)
        let least = try #require(report.text.firstMatch(of: #/at least ([0-9.]+)\)/#)?.1)
        #expect(Double(least)! <= report.guarantees[0].lowerBound!)
    }

    @Test func itsJSONComesBack() throws {
        let report = PrivacyReport(of: try plan(), stepsTaken: 3)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(PrivacyReport.self, from: data) == report)
    }

    /// γ of the sum before it is divided by N, M = 2²², σ = zM, and the slack of the steps taken.
    @Test func itShowsTheGrid() throws {
        let report = PrivacyReport(of: try plan(z: 1.5), stepsTaken: 40)
        let grid = try #require(report.grid)
        #expect(grid.sensitivity == 0x1p22 && grid.spacing == 2 / 0x1p22)
        #expect(grid.noiseStandardDeviation == 1.5 * 0x1p22)
        #expect(abs(grid.slack / (40 * 2.26e-22) - 1) < 0.01)
        #expect(["γ = 4.7684e-07", "M = 4.1943e+06", "slack s = "].allSatisfy(report.text.contains))
        let data = try JSONEncoder().encode(report)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["noise"] as? String == "discreteGaussian")
        let keys = try #require(object["grid"] as? [String: Any]).keys
        #expect(Set(keys) == ["spacing", "sensitivity", "noiseStandardDeviation", "slack"])
        #expect(try JSONDecoder().decode(PrivacyReport.self, from: data) == report)
        #expect(PrivacyReport(of: try plan(z: 0)).grid == nil)
    }

    /// A layout of 10⁸ parameters has a finer grid than the plan knows of; the guarantee is that of the coarsest.
    @Test func aRunKnowsItsGrid() throws {
        let plan = try plan()
        let report = PrivacyReport(of: plan, sumLayout: try TreeLayout([("x", [100_000_000])]))
        let grid = try #require(report.grid)
        // Half a unit and 17/16 units on each of 10⁸ columns are less than a thousandth of M = 2²⁴, not of 2²³.
        #expect(grid.sensitivity == 0x1p24 && grid.spacing == 2 / 0x1p24 && grid.noiseStandardDeviation == 0x1p24)
        #expect(report.guarantees == PrivacyReport(of: plan).guarantees)
        let data = try twoClouds(1000, seed: 1)
        let outcome = try Trainer(
            plan: plan, model: Network(.softmaxRegression(features: 2, classes: 2)), optimizer: sgd(learningRate: 0.1)
        ).fit(data) { _ in .stop }
        #expect(outcome.report.grid?.sensitivity == 0x1p22)
    }

    @Test func itSaysWhatIsAssumedAndWhatNoEpsilonCovers() throws {
        let discrete = PrivacyReport(of: try plan())
        let floating = PrivacyReport(
            of: try PrivacyPlan(
                sampling: .poisson(PoissonSampler(exampleCount: 1000, samplingProbability: 0.05)), iterations: 100,
                clipping: .flat(l2ClipNorm: 2), budget: .noiseMultiplier(1), delta: 1e-5,
                noise: .floatingPointGaussian))
        for report in [discrete, floating] {
            #expect(report.assumption.contains("AES-128") && report.assumption.contains("that example and the"))
            #expect(report.notCovered.contains { $0.lowercased().contains("running times") })
        }
        #expect(!discrete.notCovered.contains { $0.contains("low-order bits") })
        #expect(floating.notCovered.contains { $0.contains("low-order bits") })
        let text = String(decoding: try JSONEncoder().encode(floating), as: UTF8.self)
        #expect(text.contains(#""grid":null"#) && text.contains(#""noise":"floatingPointGaussian""#))
        #expect(try JSONDecoder().decode(PrivacyReport.self, from: Data(text.utf8)) == floating)
        #expect(!floating.text.contains("slack"))
    }
}
