import Foundation
import PrivateTraining
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

        try folder.write(Self.plan, to: "plan.json")
        for arguments in [
            ["calibrate", "--epsilon", "2", "--accountant", "rdp"] + Self.setting, ["plan", "plan.json"],
        ] {
            let outcome = try Program.run(
                arguments + ["--plot", "\(arguments[0]).svg", "--trade-off", "curve-\(arguments[0]).svg"], in: folder)
            #expect(outcome.status == 0, "\(outcome.complaints)")
            #expect(try folder.text("curve-\(arguments[0]).svg").contains("polyline"))
            let text = try folder.text("\(arguments[0]).svg")
            #expect(text.hasPrefix("<svg") && text.contains("steps") && text.contains("polyline"))
        }
    }

    /// A number may be written as a fraction, and means what its quotient means.
    @Test func fractionsAreNumbers() throws {
        let folder = try WorkFolder()
        func epsilon(_ probability: String) throws -> Double {
            let arguments = ["epsilon", "--noise-multiplier", "11/10", "--iterations", "500", "--delta", "1/100000"]
            let outcome = try Program.run(
                arguments + ["--sampling-probability", probability, "--format", "json"], in: folder)
            return try #require(try outcome.json()["epsilon"] as? Double, "\(outcome.messages)")
        }
        #expect(try epsilon("512/60000") == epsilon("\(512.0 / 60000)"))
    }

    @Test func theVersionIsThatOfThePackage() throws {
        let outcome = try Program.run(["--version"], in: WorkFolder())
        #expect(outcome.status == 0)
        #expect(outcome.output == PackageVersion.current + "\n")
    }

    /// No noise has one spelling in every file and line: the text "inf", which strict JSON allows.
    @Test func infinityHasOneSpelling() throws {
        let folder = try WorkFolder()
        let costs = try Program.run(
            ["epsilon", "--noise-multiplier", "0", "--format", "json"] + Self.setting, in: folder)
        #expect(try costs.json()["epsilon"] as? String == "inf")
        let run = try Program.run(
            ["train", "--demo", "--noise-multiplier", "0", "--iterations", "3", "--output", "RUN", "--format", "json"],
            in: folder)
        #expect(run.status == 0, "\(run.messages)")
        #expect(try run.json()["epsilon"] as? String == "inf" && run.json()["plannedEpsilon"] as? String == "inf")
        #expect(try folder.object("RUN/result.json")["epsilon"] as? String == "inf")
        #expect(try folder.metrics("RUN").allSatisfy { $0["epsilon"] as? String == "inf" })
        let report = try folder.object("RUN/report.json")
        #expect((report["guarantees"] as? [[String: Any]])?.allSatisfy { $0["epsilon"] as? String == "inf" } == true)
        #expect(report["plannedEpsilon"] as? String == "inf")
        let plan = try Program.run(["plan", "RUN/config.json", "--format", "json"], in: folder)
        #expect((try plan.json()["guarantees"] as? [[String: Any]])?.first?["epsilon"] as? String == "inf")
        let unbounded = try Program.run(
            ["train", "--demo", "--noise-multiplier", "0", "--clip", "inf", "--iterations", "3", "--output", "FREE"],
            in: folder)
        #expect(unbounded.status == 0, "\(unbounded.messages)")
        #expect(try folder.text("FREE/config.json").contains(#""l2ClipNorm" : "inf""#))
        #expect(try Program.run(["train", "--config", "FREE/config.json"], in: folder).status == 0)
    }

    /// The configuration of a run holds its plan, and standard input is a file.
    @Test func aRunsConfigurationIsAPlan() throws {
        let folder = try WorkFolder()
        #expect(try Program.run(["train", "--demo", "--iterations", "3", "--output", "RUN"], in: folder).status == 0)
        let ofRun = try Program.run(["plan", "RUN/config.json", "--format", "json"], in: folder)
        #expect(ofRun.status == 0, "\(ofRun.messages)")
        #expect(try ofRun.json()["plannedSteps"] as? Int == 3)
        let piped = try Program.run(["plan", "-", "--format", "json"], in: folder, input: "RUN/config.json")
        #expect(piped.output == ofRun.output)
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

    /// The noise is named in files and by an option; JSON and text say which it is, and what its grid is.
    @Test func theNoiseIsChosenAndReported() throws {
        let folder = try WorkFolder()
        try folder.write(Self.plan, to: "plan.json")
        let exact = try Program.run(["plan", "plan.json", "--format", "json"], in: folder)
        #expect(exact.messages.isEmpty)
        let report = try exact.json()
        #expect(report["noise"] as? String == "discreteGaussian")
        let grid = try #require(report["grid"] as? [String: Any])
        #expect(grid["sensitivity"] as? Int == 1 << 22)
        let spacing = try #require(grid["spacing"] as? Double)
        #expect(abs(spacing * 0x1p22 - 1) < 1e-12)
        let z = try #require(report["noiseMultiplier"] as? Double)
        let deviation = try #require(grid["noiseStandardDeviation"] as? Double)
        #expect(abs(deviation / (z * 0x1p22) - 1) < 1e-12)
        // 500 steps of 2.26·10⁻²².
        let slack = try #require(grid["slack"] as? Double)
        #expect(abs(slack / 1.13e-19 - 1) < 0.01)
        let text = try Program.run(["plan", "plan.json"], in: folder).output
        #expect(["discreteGaussian", "grid", "slack", "AES-128"].allSatisfy(text.contains))

        let option = ["plan", "plan.json", "--noise", "floatingPointGaussian", "--format", "json"]
        let floating = try Program.run(option, in: folder)
        #expect(floating.messages.contains("for comparison"))
        #expect(try floating.json()["noise"] as? String == "floatingPointGaussian")
        #expect(floating.output.contains(#""grid":null"#))
        let wrong = try Program.run(["plan", "plan.json", "--noise", "gaussian"], in: folder)
        #expect(wrong.status == 64 && wrong.messages.contains("discreteGaussian, correlated, floatingPointGaussian"))
    }

    /// An option of `dp train`, and of `dp plan` over what a run wrote: noise is calibrated for the kind that is asked
    /// for.
    @Test func trainingTakesTheNoiseThatIsNamed() throws {
        let folder = try WorkFolder()
        let options = ["--demo", "--iterations", "3", "--noise", "floatingPointGaussian", "--output", "RUN"]
        let run = try Program.run(["train"] + options, in: folder)
        #expect(run.status == 0 && run.messages.contains("for comparison"), "\(run.messages)")
        #expect(try folder.text("RUN/config.json").contains("floatingPointGaussian"))
        #expect(try folder.text("RUN/report.txt").contains("floatingPointGaussian"))
        let exact = try Program.run(
            ["plan", "RUN/config.json", "--noise", "discreteGaussian", "--format", "json"], in: folder)
        #expect(exact.status == 0, "\(exact.messages)")
        #expect(try exact.json()["noise"] as? String == "discreteGaussian")
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
        BadPlan(
            #""l2ClipNorm": 1"#, #""l2ClipNorm": -1"#, "'clipping.l2ClipNorm' in 'plan.json' is -1",
            "between 1e-100 and 1e100"),
        BadPlan(
            #""l2ClipNorm": 1"#, #""l2ClipNorm": 1, "rescale": true"#, "'clipping.rescale'", "no setting of threshold",
            "rescaleToUnitNorm"),
        BadPlan(
            #""l2ClipNorm": 1"#, #""l2ClipNorm": 1, "normalizeBy": 2"#, "'clipping.normalizeBy'",
            "no setting of threshold"),
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
        BadPlan(
            #""delta": 1e-5"#, #""delta": 1e-5, "noise": {"kind": "gaussian"}"#, "'noise.kind' in 'plan.json' is",
            "write 'discreteGaussian'", "'floatingPointGaussian'", "low-order bits"),
        BadPlan(
            #""epsilon": 2"#, #""noiseMultiplier": 2e-4"#, "'noiseMultiplier' in 'plan.json'", "0.0002", "0.000244",
            "floating-point Gaussian"),
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
