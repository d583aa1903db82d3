import Foundation
import Testing

/// What is shown fits into the terminal it is shown in.
@Suite struct TerminalTests {
    /// A word that is longer than a line, such as a path, cannot be broken.
    private func expectFit(_ text: String, columns: Int) {
        for line in TerminalProgram.shownLines(text) where line.count > columns {
            let words = line.split(separator: " ")
            #expect(words.contains { $0.count + 30 > columns }, "\(line.count) of \(columns) columns: \(line)")
        }
    }

    /// The last column stays free, or some terminals would begin a new line at every refresh.
    @Test(arguments: [60, 80, 200]) func theProgressLineNeverWraps(_ columns: Int) throws {
        let folder = try WorkFolder()
        let arguments = ["train", "--demo", "--iterations", "1500", "--batch", "300", "--noise-multiplier", "3"]
        let run = try TerminalProgram(arguments, columns: columns, in: folder)
        #expect(run.status == 0, "\(run.messages)")
        let lines = TerminalProgram.shownLines(run.messages)
        let progress = lines.filter { $0.contains("/1500") }
        #expect(!progress.isEmpty)
        #expect(lines.allSatisfy { $0.count < columns }, "\(lines)")
        // Everything where there is room, what matters most where there is not.
        #expect(progress.contains { $0.contains("left") })
        #expect(columns < 200 || progress.contains { $0.contains("examples/s") })
        expectFit(run.output, columns: columns)
        // Where people look, there is no log.
        #expect(!run.messages.contains("info dp"))
    }

    /// A fit shows how far it has come, on a terminal alone, and leaves nothing behind.
    @Test func fitsShowHowFarTheyAre() throws {
        let folder = try WorkFolder()
        try folder.write(
            #"""
            {"sampling": {"kind": "balls-in-bins", "exampleCount": 100, "bins": 5}, "iterations": 20,
             "noiseMultiplier": 2, "delta": 1e-4, "accountant": "rdp",
             "clipping": {"method": "threshold", "l2ClipNorm": 1}}
            """#, to: "plan.json")
        let arguments = ["plan", "plan.json", "--strategy", "dense"]
        let run = try TerminalProgram(arguments, columns: 80, in: folder)
        #expect(run.status == 0 && run.messages.contains("fitting dense to 20 steps"), "\(run.messages)")
        #expect(TerminalProgram.shownLines(run.messages).allSatisfy { $0.count < 80 })
        #expect(try !Program.run(arguments, in: folder).messages.contains("fitting"))
    }

    @Test(arguments: [60, 80]) func answersFit(_ columns: Int) throws {
        let folder = try WorkFolder()
        try folder.write(
            #"""
            {"exampleCount": 60000, "expectedBatchSize": 600, "epochs": 5, "epsilon": 2, "delta": 1e-4,
             "clipping": {"method": "threshold", "l2ClipNorm": 1}}
            """#, to: "plan.json")
        let setting = ["--noise-multiplier", "1.1", "--sampling-probability", "256/60000", "--iterations", "1000"]
        for arguments in [
            ["epsilon", "--delta", "1e-5", "--accountant", "all"] + setting,
            ["calibrate", "--epsilon", "1", "--delta", "1e-5"] + Array(setting.dropFirst(2)),
            ["plan", "plan.json"], ["formats"],
        ] {
            let run = try TerminalProgram(arguments, columns: columns, in: folder)
            #expect(run.status == 0, "\(run.messages)")
            #expect(!run.output.isEmpty)
            expectFit(run.output, columns: columns)
            expectFit(run.messages, columns: columns)
        }
        let refused = try TerminalProgram(
            ["train", "--epsilon", "x", "--optimizer", "adamm"], columns: columns, in: folder)
        #expect(refused.status == 64)
        expectFit(refused.messages, columns: columns)
    }

    /// A warning has a colour in a terminal that shows colours, and nowhere else.
    @Test func coloursAreForThoseWhoWantThem() throws {
        let folder = try WorkFolder()
        let arguments = ["train", "--demo", "--iterations", "2", "--delta", "1e-2"]
        let escape = "\u{1b}[33m"
        let run = try TerminalProgram(arguments, columns: 80, in: folder)
        #expect(run.messages.contains(escape) && run.messages.contains("δ = 0.01 is no less than"))
        for plain in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            let run = try TerminalProgram(arguments, columns: 80, in: folder, environment: plain)
            #expect(!run.messages.contains(escape) && !run.output.contains("\u{1b}[1m"))
            #expect(run.messages.contains("δ = 0.01 is no less than"))
        }
        let piped = try Program.run(arguments, in: folder)
        #expect(!piped.messages.contains("\u{1b}") && !piped.output.contains("\u{1b}"))
    }

    /// A log is read by people too: four digits behind the point.
    @Test func theLogHasNoLongNumbers() throws {
        let folder = try WorkFolder()
        let run = try Program.run(["train", "--demo", "--iterations", "35"], in: folder)
        let log = run.messages.split(separator: "\n").filter { $0.contains(" info dp") }
        #expect(log.count >= 5)
        #expect(log.allSatisfy { $0.contains("epsilon=") && $0.contains("accuracy=") })
        #expect(log.allSatisfy { $0.firstMatch(of: /\.[0-9]{5,}/) == nil }, "\(log)")
    }
}
