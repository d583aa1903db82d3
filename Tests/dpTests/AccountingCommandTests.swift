import Foundation
import Testing

/// `dp epsilon`, `dp calibrate` and `dp plan`.
@Suite struct AccountingCommandTests {
    private static let setting = ["--sampling-probability", "0.01", "--iterations", "1000", "--delta", "1e-5"]

    @Test func epsilonAndCalibrateAgree() throws {
        let folder = try WorkFolder()
        let found = try Program.run(
            ["calibrate", "--epsilon", "2", "--format", "json"] + Self.setting, in: folder)
        #expect(found.status == 0, "\(found.complaints)")
        let calibrated = try found.json()
        let z = try #require(calibrated["noiseMultiplier"] as? Double)
        #expect(try #require(calibrated["epsilon"] as? Double) <= 2)

        let costs = try Program.run(
            ["epsilon", "--noise-multiplier", "\(z)", "--accountant", "all", "--format", "json"] + Self.setting,
            in: folder)
        #expect(costs.status == 0, "\(costs.complaints)")
        let rows = try costs.output.split(separator: "\n").map { try jsonObject(String($0)) }
        #expect(rows.prefix(2).map { $0["accountant"] as? String } == ["pld", "rdp"])
        for row in rows {
            let keys: Set = ["epsilon", "delta", "noiseMultiplier", "accountant", "lowerBound"]
            #expect(keys.isSubset(of: row.keys))
            #expect(row["delta"] as? Double == 1e-5 && row["noiseMultiplier"] as? Double == z)
        }
        #expect(rows[0]["epsilon"] as? Double == calibrated["epsilon"] as? Double)
        #expect(try #require(rows[0]["lowerBound"] as? Double) <= #require(rows[0]["epsilon"] as? Double))
        #expect(rows[1]["lowerBound"] is NSNull)
        #expect(try #require(rows[1]["epsilon"] as? Double) > 2)
    }

    /// Asked for all accountants, one without a bound is a note; asked for itself, it is an error.
    @Test func anAccountantWithoutABoundIsNotLeftOutInSilence() throws {
        let folder = try WorkFolder()
        let question = ["epsilon", "--noise-multiplier", "1", "--relation", "replace-one", "--format", "json"]
        let all = try Program.run(question + ["--accountant", "all"] + Self.setting, in: folder)
        #expect(all.status == 0, "\(all.complaints)")
        #expect(all.output.contains(#""accountant":"pld""#) && !all.output.contains(#""accountant":"rdp""#))
        #expect(all.complaints.contains { $0.contains("note: The rdp accountant has no bound") })
        let one = try Program.run(question + ["--accountant", "rdp"] + Self.setting, in: folder)
        #expect(one.status != 0 && one.output.isEmpty)
        let unknown = try Program.run(question + ["--accountant", "moments"] + Self.setting, in: folder)
        #expect(unknown.status != 0)
        #expect(unknown.complaints.contains { $0.contains("one of pld, rdp, all") })
    }

    @Test func thePlotIsAnSVGFile() throws {
        let folder = try WorkFolder()
        let outcome = try Program.run(
            ["epsilon", "--noise-multiplier", "1", "--plot", "plot.svg"] + Self.setting, in: folder)
        #expect(outcome.status == 0, "\(outcome.complaints)")
        let text = try folder.text("plot.svg")
        #expect(text.hasPrefix("<svg") && text.contains("</svg>"))
    }

    private static let plan = """
        {"exampleCount": 60000, "expectedBatchSize": 600, "epochs": 5, "accountant": "rdp",
         "clipping": {"method": "threshold", "l2ClipNorm": 1}, "epsilon": 2, "delta": 1e-5}
        """

    @Test func aPlanIsReported() throws {
        let folder = try WorkFolder()
        try folder.write(Self.plan, to: "plan.json")
        let report = try Program.run(["plan", "plan.json", "--format", "json"], in: folder).json()
        #expect(report["stepsTaken"] as? Int == 500)
        #expect(report["expectedBatchSize"] as? Double == 600)
        #expect(report["sampling"] as? String == "poisson")
        // Δ = C / N, and noise of z·Δ.
        let sensitivity = try #require(report["sensitivity"] as? Double)
        #expect(abs(sensitivity - 1 / 600) < 1e-9)
        let z = try #require(report["noiseMultiplier"] as? Double)
        // Each of the three numbers is read from decimal digits, which may cost its last bit.
        let deviation = try #require(report["noiseStandardDeviation"] as? Double)
        #expect(abs(deviation - z * sensitivity) <= 4 * deviation.ulp)
        let guarantees = try #require(report["guarantees"] as? [[String: Any]])
        #expect(guarantees.prefix(2).map { $0["accountant"] as? String } == ["rdp", "pld"])
        #expect(guarantees.prefix(2).allSatisfy { ($0["epsilon"] as? Double).map { $0 <= 2 } ?? false })
        #expect(try #require(report["notCovered"] as? [String]).count >= 3)

        let text = try Program.run(["plan", "plan.json"], in: folder)
        #expect(text.status == 0)
        #expect(text.output.contains("500") && text.output.contains("600") && text.output.contains("rdp"))
    }

    struct BadPlan: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let says: [String]
        var testDescription: String { new }

        init(_ old: String, _ new: String, _ says: String...) {
            (self.old, self.new, self.says) = (old, new, says)
        }
    }

    @Test(arguments: [
        BadPlan(#""epochs""#, #""epoch""#, "'epoch' in 'plan.json' is no setting", "did you mean 'epochs'"),
        BadPlan(#""l2ClipNorm": 1"#, #""l2ClipNorm": -1"#, "'clipping.l2ClipNorm' in 'plan.json' is -1", "between 1e-100 and 1e100"),
        BadPlan(#""l2ClipNorm": 1"#, #""l2ClipNorm": 1, "rescale": true"#, "'clipping.rescale'", "no setting of threshold", "rescaleToUnitNorm"),
        BadPlan(#""l2ClipNorm": 1"#, #""l2ClipNorm": 1, "normalizeBy": 2"#, "'clipping.normalizeBy'", "no setting of threshold"),
        BadPlan("threshold", "treshold", "'treshold'", "threshold, automatic"),
        BadPlan(#""rdp""#, #""moments""#, "'moments'", "pld, rdp"),
        BadPlan("60000", "\"many\"", "'exampleCount'", "'many'", "a whole number"),
        BadPlan("60000", "60000.5", "'exampleCount'", "is 60000.5", "a whole number"),
        BadPlan("60000", "500", "600", "at most the number of examples, 500"),
        BadPlan(#""epochs": 5"#, #""epochs": 5, "iterations": 5"#, "iterations and epochs", "both", "leave one"),
        BadPlan(#""epochs": 5,"#, "", "iterations and epochs", "none", "add one"),
        BadPlan(#""epochs": 5"#, #""epochs": 1e300"#, "1e+300", "at most 1e15 steps"),
        BadPlan(#""epsilon": 2"#, #""epsilon": -2"#, "is -2", "(0, ∞)"),
        BadPlan(#""epsilon": 2"#, #""epsilon": 2, "noiseMultiplier": 0.5"#, "0.5", "budget of 2.0", "larger budget"),
        BadPlan("1e-5", "1", "'delta' in 'plan.json' is 1", "[0, 1)"),
        BadPlan(#""delta": 1e-5}"#, #""delta": 1e-5"#, "'plan.json'", "not JSON", "end of file"),
    ])
    func badPlansAreRefused(_ bad: BadPlan) throws {
        let folder = try WorkFolder()
        let text = Self.plan.replacing(bad.old, with: bad.new)
        try #require(text != Self.plan)
        try folder.write(text, to: "plan.json")
        let outcome = try Program.run(["plan", "plan.json", "--format", "json"], in: folder)
        #expect([1, 64].contains(outcome.status))
        #expect(outcome.output.isEmpty)
        let message = outcome.messages
        for part in bad.says { #expect(message.contains(part), "\(message)") }
    }
}
