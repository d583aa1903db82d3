import Foundation
import PrivacyAuditing
import Testing

@Suite struct AuditCommandTests {
    /// A plan of a few steps, for however many examples there will be.
    private static func plan(noiseMultiplier: Double = 1, iterations: Int = 4, rest: String = "") -> String {
        """
        {"expectedBatchSize": 60, "iterations": \(iterations), "noiseMultiplier": \(noiseMultiplier), "delta": 1e-5,
         "accountant": "rdp", "clipping": {"method": "threshold", "l2ClipNorm": 1}\(rest)}
        """
    }

    /// Coins and noise that no seed repeats: at 95 %, one of twenty true claims would not survive.
    private static let sure = ["--confidence", "0.999999", "--format", "json"]
    private static let usual = ["audit", "--plan", "plan.json", "--non-private-seed", "3", "--threads", "1"]

    /// The last line of an audit of `plan`.
    private func record(_ options: String = "", of plan: String = Self.plan()) throws -> [String: Any] {
        let folder = try WorkFolder()
        try folder.write(plan, to: "plan.json")
        let words = options.split(separator: " ").map(String.init)
        let outcome = try Program.run(Self.usual + ["--format", "json"] + words, in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        return try outcome.json()
    }

    /// 64 · 10 + 10 parameters are the most canaries that gradients allow.
    @Test func theLastLineIsTheResult() throws {
        let record = try record()
        let keys: Set = ["epsilon", "delta", "lowerBound", "statistic", "confidence", "canaries", "survived"]
        #expect(Set(record.keys) == keys)
        #expect(try #require(record["epsilon"] as? Double) > 0)
        #expect(record["delta"] as? Double == 1e-5)
        #expect(try #require(record["lowerBound"] as? Double) >= 0)
        #expect(record["statistic"] as? String == "plan-family")
        #expect(record["confidence"] as? Double == 0.95)
        #expect(record["canaries"] as? Int == 650)
        #expect(record["survived"] as? Bool == true)
    }

    /// Without noise nothing is promised, and canaries are seen: the control of all that survive.
    @Test func withoutNoiseCanariesAreSeen() throws {
        let full = #", "sampling": {"kind": "poisson", "exampleCount": 1437, "samplingProbability": 1}"#
        let bare = Self.plan(noiseMultiplier: 0, rest: full).replacing(#""expectedBatchSize": 60, "#, with: "")
        let seen = try record(of: bare)
        #expect(seen["epsilon"] as? String == "inf" && seen["survived"] as? Bool == true)
        #expect(try #require(seen["lowerBound"] as? Double) > 4)
        #expect(seen["statistic"] as? String == "plan-family")
        let noise = #""noiseMultiplier": 0.0"#
        try #require(bare.contains(noise))
        let hidden = try record(of: bare.replacing(noise, with: #""noiseMultiplier": 20"#))
        #expect(try #require(hidden["lowerBound"] as? Double) < 1)
    }

    @Test func labelsAreCanariesToo() throws {
        let record = try record("--kind label --canaries 30 --confidence 0.9")
        #expect(record["statistic"] as? String == "one-run")
        #expect(record["canaries"] as? Int == 30)
        #expect(record["confidence"] as? Double == 0.9)
    }

    @Test func optionsAreFollowed() throws {
        let record = try record(
            """
            --runs 2 --canaries 40 --statistic one-run-mu-gdp --threshold 0.5 --directions random \
            --score repeated-noise --model mlp:4 --optimizer adam --scale-then-privatize
            """)
        #expect(record["canaries"] as? Int == 80)
        #expect(record["statistic"] as? String == "one-run-mu-gdp")
    }

    /// A plan for as many examples as there are with canaries, or without.
    @Test func plansCountCanaries() throws {
        for count in [1437, 1437 + 20] {
            let plan = Self.plan(rest: #", "exampleCount": \#(count)"#)
            #expect(try record("--canaries 20", of: plan)["canaries"] as? Int == 20)
        }
    }

    @Test func peopleSeeATableAndAPage() throws {
        let folder = try WorkFolder()
        try folder.write(Self.plan(), to: "plan.json")
        let options = ["--runs", "2", "--canaries", "100", "--output", "audit.html"]
        let outcome = try Program.run(Self.usual + options, in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(try folder.names(in: ".") == ["audit.html", "plan.json"])
        let lines = outcome.output.split(separator: "\n")
        #expect(outcome.output.contains("100 canaries (gradients, coordinates), in each of 2 runs."))
        let rows = lines.filter { $0.hasPrefix("| ") && !$0.contains("statistic") }
        #expect(rows.count == AuditStatistic.allCases.count && rows.allSatisfy { $0.contains("yes") })
        #expect(rows.filter { $0.contains("decides") }.map { $0.contains("plan-family") } == [true])
        for name in ["δ", "confidence", "canaries", "runs", "ROC area", "seconds", "scores in", "scores out"] {
            #expect(lines.contains { $0.hasPrefix(name) }, "\(name)")
        }
        #expect(lines.contains { $0.hasPrefix("The claim survived") && $0.contains("proves nothing") })
        let page = try folder.text("audit.html")
        #expect(page.contains("<svg") && page.contains("plan-family") && page.hasSuffix("</html>\n"))
    }

    /// What a run of `dp train` is audited by is in its folder, which stays as it is.
    @Test func aRunIsAuditedByItsFolder() throws {
        let folder = try WorkFolder()
        try folder.write(SeededRun(iterations: 4).configuration, to: "c.json")
        let training = try Program.run(["train", "--config", "c.json", "--output", "RUN"], in: folder)
        try #require(training.status == 0, "\(training.messages)")
        let before = try folder.contents()
        let outcome = try Program.run(
            ["audit", "--run", "RUN", "--canaries", "50"] + Self.sure, in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        let record = try outcome.json()
        #expect(record["canaries"] as? Int == 50)
        let report = try folder.object("RUN/report.json")
        let epsilon = try #require((report["guarantees"] as? [[String: Any]])?.first?["epsilon"] as? Double)
        #expect(record["epsilon"] as? Double == epsilon)
        #expect(try folder.contents() == before)

        // The same by its configuration, as a plan and as what it is.
        for option in ["--config", "--plan"] {
            let outcome = try Program.run(
                ["audit", option, "RUN/config.json", "--canaries", "50"] + Self.sure, in: folder)
            #expect(outcome.status == 0, "\(outcome.messages)")
            #expect(try outcome.json()["epsilon"] as? Double == epsilon)
        }
    }

    @Test func whatAnAuditLeavesOutIsSaid() throws {
        let folder = try WorkFolder()
        let text = SeededRun(iterations: 2).configuration
        let augmented = text.replacing(
            #""model":"#,
            with: #""augmentation": {"count": 2, "height": 8, "width": 8, "shift": 1}, "model":"#)
        try folder.write(augmented, to: "c.json")
        let outcome = try Program.run(["audit", "--config", "c.json"] + Self.sure, in: folder)
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(outcome.messages.contains("note: augmentations are left out"))
    }

    @Test func anInterruptedAuditSaysThatItSaysNothing() throws {
        let folder = try WorkFolder()
        try folder.write(SeededRun(iterations: 2000).configuration, to: "c.json")
        let program = try RunningProgram(["audit", "--config", "c.json", "--format", "json"], in: folder)
        try program.wait(forStep: 3)
        program.send(SIGINT)
        let outcome = try program.finish()
        #expect(outcome.status == 130 && outcome.output.isEmpty)
        #expect(outcome.messages.contains("Stopping after this step."))
        #expect(outcome.messages.contains("an audit that did not end says nothing"))
    }
}
