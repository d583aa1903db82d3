import Foundation
import Testing

/// Ctrl-C, a full disk, a damaged file: what a run can prepare for.
@Suite struct InterruptedRunTests {
    @Test(arguments: [SIGINT, SIGTERM])
    func anInterruptedRunTellsWhatItSpentAndGoesOn(_ signal: Int32) throws {
        let run = SeededRun()
        let folder = try WorkFolder()
        let program = try run.begin(in: folder)
        try program.wait(forStep: 13)
        program.send(signal)
        let outcome = try program.finish()
        #expect(outcome.status == 0)
        let record = try outcome.json()
        #expect(record["isFinished"] as? Bool == false)
        let steps = try #require(record["steps"] as? Int)
        #expect(steps >= 13 && steps < 220)
        #expect(record["plannedSteps"] as? Int == 220)

        let report = try folder.object("RUN/report.json")
        #expect(report["stepsTaken"] as? Int == steps)
        let spent = try #require((report["guarantees"] as? [[String: Any]])?.first?["epsilon"] as? Double)
        #expect(record["epsilon"] as? Double == spent)
        #expect(try folder.names(in: "RUN/checkpoints").last == String(format: "step-%09d", steps))
        #expect(folder.has("RUN/model.safetensors"))

        #expect(try SeededRun.resume(in: folder) == SeededRun.usualResult.get())
        let whole = try folder.object("RUN/report.json")
        let total = try #require((whole["guarantees"] as? [[String: Any]])?.first?["epsilon"] as? Double)
        #expect(spent < total)
        #expect(try #require(whole["notCovered"] as? [String]).contains { $0.contains("(1 times)") })
    }

    /// The second request, whichever of the two signals it is, ends the run at once, and what is lost is said.
    @Test func aSecondRequestEndsTheRunAndSaysWhatIsLost() throws {
        let folder = try WorkFolder()
        let program = try SeededRun().begin(in: folder)
        try program.wait(forStep: 13)
        program.send(SIGINT)
        program.send(SIGTERM)
        let outcome = try program.finish()
        #expect([-SIGINT, -SIGTERM].contains(outcome.status))
        #expect(outcome.messages.contains("Stopping after this step, with a checkpoint."))
        #expect(outcome.messages.contains("Stopped at once: steps since the last checkpoint are lost; --resume"))
        #expect(!folder.has("RUN/result.json"))
        #expect(try SeededRun.resume(in: folder) == SeededRun.usualResult.get())
    }

    /// 64 · 512 + 512 · 10 weights take 152 KiB, and no file may have more than 100: every checkpoint is too large.
    private static let large = SeededRun(model: "mlp:64-512-10", iterations: 60, checkpointInterval: 10)

    private func expectFullDisk(_ outcome: Program.Outcome) {
        #expect(outcome.status == 1)
        #expect(outcome.complaints.count == 1)
        let message = String(outcome.complaints.first ?? "")
        #expect(message.contains("/RUN/checkpoints/") && message.contains(".safetensors' cannot be written"))
        #expect(message.contains("File too large") && message.contains("see to space"))
    }

    @Test func aFullDiskIsATypedErrorAndLeavesNothingHalfWritten() throws {
        let folder = try WorkFolder()
        expectFullDisk(try Self.large.begin(in: folder, fileBlocks: 100).finish())
        #expect(!folder.has("RUN/model.safetensors"))
        #expect(try folder.names(in: "RUN/checkpoints") == [".gitignore"])
        #expect(try folder.names(in: "RUN").allSatisfy { !$0.hasPrefix(".") })
    }

    @Test func aFullDiskLeavesThePreviousCheckpointAsItWas() throws {
        let folder = try WorkFolder()
        let program = try Self.large.begin(in: folder)
        try program.wait(forStep: 11)
        program.send(SIGINT)
        #expect(try program.finish().status == 0)
        let (model, checkpoints) = (
            try folder.data("RUN/model.safetensors"), try folder.contents(of: "RUN/checkpoints")
        )
        expectFullDisk(try Program.run(SeededRun.resumption, in: folder, fileBlocks: 100))
        #expect(try folder.data("RUN/model.safetensors") == model)
        #expect(try folder.contents(of: "RUN/checkpoints") == checkpoints)
        #expect(try SeededRun.resume(in: folder) == Self.large.uninterrupted())
    }

    enum Damage: CaseIterable {
        case flippedBit, cutManifest, missingFile
    }

    @Test(arguments: Damage.allCases)
    func aDamagedCheckpointIsNamedAndTheOneBeforeItServes(_ damage: Damage) throws {
        let run = SeededRun(iterations: 400)
        let folder = try WorkFolder()
        let program = try run.begin(in: folder)
        try program.wait(forStep: 11)
        program.send(SIGINT)
        #expect(try program.finish().status == 0)
        let names = try folder.names(in: "RUN/checkpoints").filter { $0.hasPrefix("step-") }
        try #require(names.count == 2)
        let (newest, kept) = ("RUN/checkpoints/\(names[1])", "RUN/checkpoints/\(names[0])")
        let previous = try folder.contents(of: kept)
        let file: String
        switch damage {
        case .flippedBit:
            file = "vectors.safetensors"
            var bytes = try folder.data("\(newest)/\(file)")
            bytes[bytes.count - 100] ^= 1
            try folder.write(bytes, to: "\(newest)/\(file)")
        case .cutManifest:
            file = "manifest.json"
            try folder.write(try folder.data("\(newest)/\(file)").dropLast(10), to: "\(newest)/\(file)")
        case .missingFile:
            file = "parameters.safetensors"
            try folder.remove("\(newest)/\(file)")
        }

        let refused = try Program.run(SeededRun.resumption, in: folder)
        #expect(refused.status == 1)
        #expect(refused.complaints.count == 1)
        let message = refused.complaints.joined()
        #expect(message.contains("\(names[1])' is damaged") && message.contains("'\(file)' is "))
        #expect(message.contains(". Move it away") && !message.contains(".."))
        #expect(try folder.contents(of: kept) == previous)

        try FileManager.default.moveItem(
            at: folder.url.appending(path: newest), to: folder.url.appending(path: "damaged"))
        try folder.remove("RUN/model.safetensors")
        #expect(try SeededRun.resume(in: folder) == run.uninterrupted())
    }
}
