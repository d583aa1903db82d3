import Foundation
import Testing

/// SIGKILL, which no process can prepare for.
@Suite struct KilledRunTests {
    /// **Guarantee** of seeded runs, with real processes: killed at any moment, a run goes on to the same bits. The
    /// moments are a step and some microseconds more, so that they fall into steps and evaluations, and, with a
    /// checkpoint after every step, into half-written checkpoints more often than not.
    @Test(arguments: [(5, 1), (1, 2)] as [(Int, UInt64)])
    func aKilledRunEndsBitByBitAlike(checkpointInterval: Int, seed: UInt64) throws {
        let run = SeededRun(checkpointInterval: checkpointInterval)
        let folder = try WorkFolder()
        // Knuth's generator: the delays are the same every time, what they hit is not.
        var state = seed
        func random(below limit: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % limit)
        }
        var program = try run.begin(in: folder)
        // A process is at most some thirty steps ahead of what was read of it, and six of them are killed: the last at
        // step 206 at the latest.
        for first in [3, 40, 80, 120] {
            try program.wait(forStep: first + random(below: 10))
            program.send(SIGKILL, after: UInt32(random(below: 3000)))
            #expect(try program.finish().status == -SIGKILL)
            #expect(!folder.has("RUN/model.safetensors"))
            if first == 40 || first == 120 {
                // One that does not get far: it is killed while it starts, or reads its checkpoint.
                program = try RunningProgram(SeededRun.resumption, in: folder)
                program.send(SIGKILL, after: UInt32(random(below: 30_000)))
                #expect(try program.finish().status == -SIGKILL)
            }
            if first < 120 { program = try RunningProgram(SeededRun.resumption, in: folder) }
        }
        #expect(try SeededRun.resume(in: folder) == SeededRun.usualResult.get())
        #expect(try folder.names(in: "RUN/checkpoints") == [".gitignore", "step-000000220"])
    }

    /// The comparison above tells runs apart: with another seed both files differ, and so does a run that begins anew
    /// instead of going on.
    @Test func anotherRunDiffers() throws {
        let expected = try SeededRun(iterations: 30).uninterrupted()
        let other = try SeededRun(seed: 8, iterations: 30).uninterrupted()
        #expect(other.model != expected.model && other.metrics != expected.metrics)
    }

    /// A factored moment, and the scale of rank one that is made from it, are brought back as well.
    @Test func aFactoredMomentIsBroughtBack() throws {
        let run = SeededRun(
            iterations: 40, optimizer: #""name": "adafactor", "minimumFactoredSide": 8, "momentum": 0.5"#)
        let folder = try WorkFolder()
        let program = try run.begin(in: folder)
        try program.wait(forStep: 12)
        program.send(SIGKILL)
        #expect(try program.finish().status == -SIGKILL)
        let resumed = try SeededRun.resume(in: folder)
        #expect(try resumed == run.uninterrupted())
        let other = try SeededRun(iterations: 40, optimizer: #""name": "adafactor""#).uninterrupted()
        #expect(other.model != resumed.model)
    }

    @Test func leftoversAreNotTakenForCheckpointsAndGo() throws {
        let run = SeededRun(iterations: 60)
        let folder = try WorkFolder()
        let program = try run.begin(in: folder)
        try program.wait(forStep: 12)
        program.send(SIGKILL)
        #expect(try program.finish().status == -SIGKILL)
        let newest = try #require(try folder.names(in: "RUN/checkpoints").last)
        let partial = "RUN/checkpoints/.step-000000055.0.partial"
        try folder.write(try folder.data("RUN/checkpoints/\(newest)/state.json"), to: "\(partial)/state.json")
        try folder.write("{\"step\": 1", to: "RUN/.writing-1-x")
        #expect(try SeededRun.resume(in: folder) == run.uninterrupted())
        #expect(try folder.names(in: "RUN/checkpoints") == [".gitignore", "step-000000060"])
        #expect(try folder.names(in: "RUN").allSatisfy { !$0.hasPrefix(".") })
    }

    /// Killed after its last checkpoint and before its results were written: only these are still to do.
    @Test func aRunThatWasKilledAtItsEndIsFinished() throws {
        let run = SeededRun(iterations: 30)
        let folder = try WorkFolder()
        #expect(try run.begin(in: folder).finish().status == 0)
        let expected = try SeededRun.Result(in: folder)
        for name in ["model.safetensors", "report.json", "report.txt", "index.html", "result.json"] {
            try folder.remove("RUN/\(name)")
        }
        #expect(try SeededRun.resume(in: folder) == expected)
        for name in ["report.json", "report.txt", "index.html", "result.json"] { #expect(folder.has("RUN/\(name)")) }
    }

    /// A run that is finished is left as it is, to the byte, and says again what it came to.
    @Test func aFinishedRunIsNotChangedByResuming() throws {
        let run = SeededRun(iterations: 30)
        let folder = try WorkFolder()
        let first = try run.begin(in: folder).finish()
        #expect(first.status == 0)
        let before = try folder.contents()
        let again = try Program.run(SeededRun.resumption, in: folder)
        #expect(again.status == 0)
        #expect(try again.json() as NSDictionary == first.json() as NSDictionary)
        #expect(again.complaints.contains { $0.contains("nothing is changed") })
        #expect(try folder.contents() == before)
    }
}
