import Foundation
import GradientTransformations
import LinearAlgebra
import PrivacyAccounting
import PrivacyMechanisms
import PyTrees
import Testing

@testable import PrivateTraining

@Suite struct CheckpointFolderTests {
    private typealias Optimizer = ScaleThenPrivatize<Adam<Double>, KnownSecondMoment<Adam<Double>.State>>

    private static func plan(iterations: Int = 12) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .cyclicPoisson(
                CyclicPoissonSampler(exampleCount: 200, bands: 2, samplingProbability: 0.3)),
            iterations: iterations,
            clipping: .adaptiveQuantile(
                AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 3)),
            budget: .noiseMultiplier(1), delta: 1e-5)
    }

    private static func trainer(
        _ plan: PrivacyPlan, seed: UInt64? = 1, features: Int = 2
    ) throws -> Trainer<Network, Optimizer> {
        try Trainer(
            plan: plan, model: Network(.softmaxRegression(features: features, classes: 2)),
            optimizer: ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1e-2),
            options: TrainingOptions(averaging: .tail(fraction: 0.5), nonPrivateSeed: seed))
    }

    private static func checkpoints(_ folder: URL, interval: Int = 1) throws -> CheckpointFolder<Optimizer> {
        try CheckpointFolder(folder, interval: interval)
    }

    private static func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != ".gitignore" }.sorted()
    }

    /// **Guarantee** of seeded runs: wherever it was interrupted, the run ends with the same bits.
    @Test(arguments: [1, 5, 6, 11])
    func anInterruptedSeededRunEndsBitByBitAlike(_ stop: Int) throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan())
            let whole = try Self.trainer(plan).fit(data)
            let checkpoints = try Self.checkpoints(folder)
            let part = try Self.trainer(plan).fit(data, checkpoints: checkpoints) { progress in
                progress.step == stop ? .stop : .proceed
            }
            #expect(part.stepsTaken == stop)
            let rest = try Self.trainer(plan).fit(data, checkpoints: checkpoints)
            #expect(rest.parameters == whole.parameters)
            #expect(rest.stepsTaken == 12)
            #expect(rest.report.notCovered.contains { $0.contains("(1 times)") })
            #expect(!whole.report.notCovered.contains { $0.contains("times)") })
        }
    }

    /// A process that resumes writes the checkpoint of the same step anew, and can be killed after the old one stepped
    /// aside: a run that went on from the one before, or from nothing, would take reported steps again.
    @Test(arguments: [0, 5])
    func aCheckpointThatStoodAsideIsBroughtBack(_ stop: Int) throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan())
            let whole = try Self.trainer(plan).fit(data)
            let checkpoints = try Self.checkpoints(folder)
            let trainer = try Self.trainer(plan)
            struct Kill: Error {}
            _ = try? trainer.fit(data, checkpoints: checkpoints) { progress in
                if progress.step > stop { throw Kill() }
                return .proceed
            }
            let newest = try #require(try Self.names(folder).last)
            let aside = ".\(newest).\(UUID().uuidString).partial.old"
            try FileManager.default.moveItem(
                at: folder.appending(path: newest), to: folder.appending(path: aside))
            let found = try checkpoints.newest(for: plan, layout: trainer.model.layout, fixedParametersDigest: nil)
            #expect(found?.run.stepsTaken == stop + 1)
            #expect(try Self.names(folder).last == newest)
            let rest = try Self.trainer(plan).fit(data, checkpoints: checkpoints)
            #expect(rest.parameters == whole.parameters)
            #expect(try Self.names(folder) == ["step-000000012"])
        }
    }

    /// One that was replaced already is not: it is older than what has its name.
    @Test func aReplacedCheckpointIsNotBroughtBack() throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan())
            let checkpoints = try Self.checkpoints(folder)
            let trainer = try Self.trainer(plan)
            _ = try trainer.fit(data, checkpoints: checkpoints) { $0.step == 4 ? .stop : .proceed }
            let aside = folder.appending(path: ".step-000000004.0.partial.old")
            try FileManager.default.copyItem(at: folder.appending(path: "step-000000003"), to: aside)
            let found = try checkpoints.newest(for: plan, layout: trainer.model.layout, fixedParametersDigest: nil)
            #expect(found?.run.stepsTaken == 4)
        }
    }

    /// Under secure keys, two continuations of one checkpoint never have the same noise; for their batches see
    /// ``CopiedCheckpointTests``.
    @Test func anInterruptedSecureRunHasFreshNoise() throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan(iterations: 3))
            let checkpoints = try Self.checkpoints(folder)
            let trainer = try Self.trainer(plan, seed: nil)
            _ = try trainer.fit(data, checkpoints: checkpoints) { $0.step == 2 ? .stop : .proceed }
            let copy = folder.appending(path: "copy")
            try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                at: folder.appending(path: "step-000000002"), to: copy.appending(path: "step-000000002"))
            let one = try trainer.fit(data, checkpoints: checkpoints)
            let other = try trainer.fit(data, checkpoints: try Self.checkpoints(copy))
            #expect(one.parameters != other.parameters)
        }
    }

    @Test func theLastTwoAreKept() throws {
        try withTemporaryFolder { folder in
            let checkpoints = try Self.checkpoints(folder, interval: 5)
            let (data, trainer) = (try twoClouds(200, seed: 3), try Self.trainer(try Self.plan()))
            _ = try trainer.fit(data, checkpoints: checkpoints) { progress in
                // The first is on disk before the first step.
                let names = try Self.names(folder)
                if progress.step == 1 { #expect(names == ["step-000000000"]) }
                return progress.step == 11 ? .stop : .proceed
            }
            #expect(try Self.names(folder) == ["step-000000010", "step-000000011"])
            #expect(try String(contentsOf: folder.appending(path: ".gitignore"), encoding: .utf8) == "*\n")
            _ = try trainer.fit(data, checkpoints: checkpoints)
            #expect(try Self.names(folder) == ["step-000000012"])
            let files = try Self.names(folder.appending(path: "step-000000012"))
            #expect(files == ["manifest.json", "parameters.safetensors", "state.json", "vectors.safetensors"])
            let mode =
                try FileManager.default.attributesOfItem(
                    atPath: folder.appending(path: "step-000000012").path)[.posixPermissions] as? Int
            #expect(mode == 0o700)
        }
    }

    @Test func aFinishedRunIsNotTrainedOn() throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan())
            let checkpoints = try Self.checkpoints(folder)
            let once = try Self.trainer(plan).fit(data, checkpoints: checkpoints)
            var steps: [Int] = []
            let again = try Self.trainer(plan).fit(data, checkpoints: checkpoints) { progress in
                steps.append(progress.step)
                return .proceed
            }
            // Told once more: a process that ended in between may not have been.
            #expect(steps == [12])
            #expect(again.parameters == once.parameters)
            #expect(!again.report.notCovered.contains { $0.contains("times)") })
        }
    }

    /// **Guarantee:** whatever is told of a step, the step is on disk before: it cannot be lost and taken again.
    @Test func whatIsToldIsSaved() throws {
        try withTemporaryFolder { folder in
            let checkpoints = try Self.checkpoints(folder, interval: 7)
            var trainer = try Self.trainer(try Self.plan())
            trainer = try Trainer(
                plan: trainer.plan, model: trainer.model, optimizer: trainer.optimizer,
                options: TrainingOptions(averaging: .tail(fraction: 0.5), evaluation: .every(3), nonPrivateSeed: 1))
            var told = 0
            _ = try trainer.fit(try twoClouds(200, seed: 3), checkpoints: checkpoints) { progress in
                if progress.isReportDue {
                    told += 1
                    let newest = try Self.names(folder).last
                    #expect(newest == String(format: "step-%09d", progress.step))
                }
                return .proceed
            }
            #expect(told == 4)
        }
    }

    /// Every interruption counts, also those after the same checkpoint, and those before the first interval.
    @Test func everyInterruptionIsReported() throws {
        struct Crash: Error {}
        try withTemporaryFolder { folder in
            let (data, trainer) = (try twoClouds(200, seed: 3), try Self.trainer(try Self.plan(), seed: nil))
            let checkpoints = try Self.checkpoints(folder, interval: 100)
            for _ in 0..<3 {
                #expect(throws: Crash.self) {
                    try trainer.fit(data, checkpoints: checkpoints) {
                        if $0.step == 2 { throw Crash() } else { .proceed }
                    }
                }
            }
            let outcome = try trainer.fit(data, checkpoints: checkpoints)
            #expect(outcome.report.notCovered.contains { $0.contains("(3 times)") })
        }
    }

    @Test func twoProcessesDoNotTrainWithOneFolder() throws {
        try withTemporaryFolder { folder in
            let checkpoints = try Self.checkpoints(folder)
            let lock = try checkpoints.lock()
            #expect(throws: CheckpointError.inUse(path: folder.path)) { try checkpoints.lock() }
            lock.release()
            try checkpoints.lock().release()
        }
    }

    /// The key tells which examples were drawn; a finished run has no more use for it.
    @Test func aFinishedRunLeavesNoKeyBehind() throws {
        try withTemporaryFolder { folder in
            var run = try PrivateRun(
                try Self.plan(iterations: 1), optimizer: IdentityAugmented(try sgd(learningRate: 0.1)),
                parameters: ParameterVector(zeros: TreeLayout([("x", [1])])))
            let key = run.snapshot.source
            #expect(run.snapshot.source == key)
            try run.step { indices, _ in
                try DenseRows(Matrix(rows: indices.count, columns: 1), layout: TreeLayout([("x", [1])]))
            }
            #expect(run.snapshot.source != key)
        }
    }

    /// Any byte changed, any file cut or missing: a typed error, and the checkpoint before it is still there.
    @Test func damageIsATypedError() throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan())
            let checkpoints = try Self.checkpoints(folder)
            _ = try Self.trainer(plan).fit(data, checkpoints: checkpoints) { $0.step == 11 ? .stop : .proceed }
            let newest = folder.appending(path: "step-000000011")
            for name in try Self.names(newest) {
                let file = newest.appending(path: name)
                let whole = try Data(contentsOf: file)
                var flipped = whole
                flipped[whole.count / 2] ^= 1
                for damaged in [flipped, whole.prefix(whole.count / 2), Data(), nil] {
                    try FileManager.default.removeItem(at: file)
                    try damaged?.write(to: file)
                    // A flipped bit in the manifest may fall on a name or a number: that, too, must show.
                    #expect(throws: CheckpointError.self, "\(name)") {
                        try Self.trainer(plan).fit(data, checkpoints: checkpoints)
                    }
                    try whole.write(to: file)
                }
            }
            try FileManager.default.removeItem(at: newest)
            #expect(try Self.trainer(plan).fit(data, checkpoints: checkpoints).stepsTaken == 12)
        }
    }

    @Test func foreignCheckpointsAreTypedErrors() throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan())
            let checkpoints = try Self.checkpoints(folder)
            _ = try Self.trainer(plan).fit(data, checkpoints: checkpoints) { _ in .stop }
            let path = folder.appending(path: "step-000000001").path
            #expect(throws: CheckpointError.foreign(path: path, what: "plan")) {
                try Self.trainer(try Self.plan(iterations: 13)).fit(data, checkpoints: checkpoints)
            }
            #expect(throws: CheckpointError.foreign(path: path, what: "model")) {
                try Self.trainer(plan, features: 3).fit(data, checkpoints: checkpoints)
            }
            let other = try Trainer(
                plan: plan, model: Network(.softmaxRegression(features: 2, classes: 2)),
                optimizer: IdentityAugmented(try sgd(learningRate: 0.1)), options: TrainingOptions(nonPrivateSeed: 1))
            #expect(throws: CheckpointError.foreign(path: path, what: "optimizer")) {
                try other.fit(data, checkpoints: CheckpointFolder(folder, interval: 1))
            }
        }
    }

    /// A checkpoint of the format before has another meaning of its key: it is refused, and not misread.
    @Test(arguments: [1, 2, 3, 4, 5, 7])
    func otherFormatsAreTypedErrors(_ format: Int) throws {
        try withTemporaryFolder { folder in
            let (data, trainer) = (try twoClouds(200, seed: 3), try Self.trainer(try Self.plan()))
            let checkpoints = try Self.checkpoints(folder)
            _ = try trainer.fit(data, checkpoints: checkpoints) { _ in .stop }
            let newest = folder.appending(path: "step-000000001")
            let manifest = newest.appending(path: "manifest.json")
            let text = try String(contentsOf: manifest, encoding: .utf8)
            try text.replacing("\"format\":6", with: "\"format\":\(format)")
                .write(to: manifest, atomically: true, encoding: .utf8)
            let expected = CheckpointError.unsupportedFormat(path: newest.path, found: format, supported: 6)
            #expect(throws: expected) { try trainer.fit(data, checkpoints: checkpoints) }
            #expect(expected.description.contains("begin anew"))
            // What was trained under the old noise is told why it cannot go on.
            #expect(expected.description.contains("floating-point noise") == (format <= 5))
            // Control: with the number that was written, the run goes on.
            try text.write(to: manifest, atomically: true, encoding: .utf8)
            #expect(try trainer.fit(data, checkpoints: checkpoints).stepsTaken == 12)
        }
    }

    @Test func anUnfinishedCheckpointIsNotSeenAndGoes() throws {
        try withTemporaryFolder { folder in
            let (data, plan) = (try twoClouds(200, seed: 3), try Self.plan())
            let checkpoints = try Self.checkpoints(folder)
            _ = try Self.trainer(plan).fit(data, checkpoints: checkpoints) { $0.step == 3 ? .stop : .proceed }
            // What a process that was killed while writing leaves behind.
            try FileManager.default.createDirectory(
                at: folder.appending(path: ".step-000000004.x.partial"), withIntermediateDirectories: true)
            let whole = try Self.trainer(plan).fit(data)
            #expect(try Self.trainer(plan).fit(data, checkpoints: checkpoints).parameters == whole.parameters)
            #expect(try Self.names(folder) == ["step-000000012"])
        }
    }

    @Test func theIntervalIsAtLeastOne() {
        #expect(throws: TrainingError.self) { try Self.checkpoints(URL(fileURLWithPath: "/tmp"), interval: 0) }
    }
}
