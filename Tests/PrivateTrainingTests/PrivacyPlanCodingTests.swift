import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining
import Testing

@Suite struct PrivacyPlanCodingTests {
    private func decode(_ text: String) throws -> PrivacyPlan {
        try JSONDecoder().decode(PrivacyPlan.self, from: Data(text.utf8))
    }

    private let wish = """
        {"exampleCount": 60000, "expectedBatchSize": 600, "epochs": 2,
         "clipping": {"method": "threshold", "l2ClipNorm": 1}, "epsilon": 2, "delta": 1e-5}
        """

    @Test func aWishBecomesAPlan() throws {
        let plan = try decode(wish)
        let same = try PrivacyPlan(
            exampleCount: 60_000, expectedBatchSize: 600, epochs: 2, clipping: .flat(l2ClipNorm: 1),
            budget: .epsilon(2), delta: 1e-5)
        #expect(plan == same)
        #expect(plan.relation == .addOrRemoveOne)
        #expect(plan.unit == .example)
    }

    @Test func plansComeBackAsTheyWere() throws {
        let plans = try [
            decode(wish),
            PrivacyPlan(
                sampling: .truncatedPoisson(
                    TruncatedPoissonSampler(exampleCount: 500, samplingProbability: 0.1, maximumBatchSize: 60)),
                iterations: 7, clipping: .perSubtree(l2ClipNorms: ["a": 1, "b": 0.5], rescaleToUnitNorm: true),
                budget: .noiseMultiplier(0.7), delta: 1e-6, relation: .replaceOne),
            PrivacyPlan(
                sampling: .user(UserSampler(owners: [0, 0, 1, 2], userCount: 3, samplingProbability: 0.5)),
                iterations: 3,
                clipping: .adaptiveQuantile(
                    AdaptiveQuantileClipping(initialL2ClipNorm: 0.1, countNoiseMultiplier: 4)),
                budget: .noiseMultiplier(1), delta: 1e-6, unit: .user),
        ]
        for plan in plans {
            let data = try JSONEncoder().encode(plan)
            #expect(try JSONDecoder().decode(PrivacyPlan.self, from: data) == plan)
        }
    }

    /// The default mechanism may be named, and is left out where a plan is written: a plan has one form.
    @Test func theDefaultNoiseIsNotWritten() throws {
        let named = try decode(wish.replacing("{\"ex", with: "{\"noise\": {\"kind\": \"discreteGaussian\"}, \"ex"))
        #expect(try named == decode(wish))
        #expect(named.noise == .discreteGaussian)
        let written = String(decoding: try JSONEncoder().encode(named), as: UTF8.self)
        #expect(!written.contains("\"noise\""))
        #expect(throws: DecodingError.self) {
            try decode(wish.replacing("{\"ex", with: "{\"noise\": {\"kind\": \"laplace\"}, \"ex"))
        }
    }

    /// A plan of the old kind was made for other noise than it would get: it is told what to write, and not read.
    @Test func theRetiredNoiseIsRefusedWithWhatToWrite() throws {
        func request(_ kind: String) throws -> PrivacyPlan {
            try decode(wish.replacing("{\"ex", with: "{\"noise\": {\"kind\": \"\(kind)\"}, \"ex"))
        }
        let error = #expect(throws: DecodingError.self) { try request("gaussian") }
        let text = String(describing: error)
        #expect(["'discreteGaussian'", "'floatingPointGaussian'", "low-order bits"].allSatisfy(text.contains))
        // Both of what it names can be written, and only the one that is not the default is.
        #expect(try request("discreteGaussian") == decode(wish))
        let old = try request("floatingPointGaussian")
        #expect(old != (try decode(wish)))
        let written = try JSONEncoder().encode(old)
        #expect(String(decoding: written, as: UTF8.self).contains("floatingPointGaussian"))
        #expect(try JSONDecoder().decode(PrivacyPlan.self, from: written) == old)
    }

    /// Two runs that promised the same are seen to have, and those that did not are seen not to have.
    @Test func everyPromiseShows() throws {
        let plan = try decode(wish)
        let others = [
            wish.replacing("600,", with: "601,"), wish.replacing(#""epochs": 2"#, with: #""epochs": 3"#),
            wish.replacing(#""l2ClipNorm": 1"#, with: #""l2ClipNorm": 2"#),
            wish.replacing(#""epsilon": 2"#, with: #""epsilon": 2.1"#),
            wish.replacing("1e-5", with: "1e-6"), wish.replacing("{\"ex", with: "{\"relation\": \"replace-one\", \"ex"),
            wish.replacing("{\"ex", with: "{\"accountant\": \"rdp\", \"ex"),
        ]
        for other in others { #expect(try decode(other) != plan) }
    }

    @Test func noiseBesideABudgetIsChecked() throws {
        let z = try decode(wish).noiseMultiplier
        let kept = wish.replacing(#""epsilon": 2"#, with: #""epsilon": 2, "noiseMultiplier": \#(z * 1.01)"#)
        #expect(try decode(kept).epsilonBudget == 2)
        let tooQuiet = wish.replacing(#""epsilon": 2"#, with: #""epsilon": 2, "noiseMultiplier": \#(z * 0.99)"#)
        #expect(throws: PlanError.self) { try decode(tooQuiet) }
    }

    @Test func halfAnswersAndDoubleOnesAreRefused() throws {
        let choices = ["epsilon", "noiseMultiplier"]
        #expect(throws: PlanError.ambiguous(choices: choices, given: [])) {
            try decode(wish.replacing(#""epsilon": 2,"#, with: ""))
        }
        #expect(
            throws: PlanError.ambiguous(choices: ["iterations", "epochs"], given: ["iterations", "epochs"])
        ) { try decode(wish.replacing(#""epochs": 2"#, with: #""epochs": 2, "iterations": 200"#)) }
        #expect(throws: DecodingError.self) { try decode(wish.replacing("exampleCount", with: "examples")) }
        // A misspelt key must not fall back to a default.
        #expect(throws: DecodingError.self) { try decode(wish.replacing("{\"ex", with: "{\"relations\": 1, \"ex")) }
        #expect(throws: AccountingError.self) { try decode(wish.replacing(#""epsilon": 2"#, with: #""epsilon": -2"#)) }
    }
}
