import Crypto
import Foundation
import GradientTransformations
import LinearAlgebra
import Networks
import PrivacyMechanisms
import PrivateOptimization
import PyTrees

@testable import Datasets
@testable import PrivateTraining

extension FuzzTarget {
    /// A checkpoint, one of whose four files, which the first byte chooses, holds the other bytes. Its manifest is made
    /// to fit: what damages a disk is found by checksums, and what is left is what somebody made.
    static let checkpoint = FuzzTarget(
        name: "checkpoint",
        seeds: {
            try CheckpointFiles.names.enumerated().map { number, name in
                try [UInt8(number)] + Data(contentsOf: CheckpointFiles.original.appending(path: name))
            }
        }
    ) { bytes in
        guard let choice = bytes.first else { return }
        let checkpoint = try CheckpointFiles.newest(
            after: CheckpointFiles.names[Int(choice) % CheckpointFiles.names.count], holds: bytes.dropFirst())
        guard let checkpoint, checkpoint.run.stepsTaken < CheckpointFiles.trainer.plan.iterations else { return }
        try CheckpointFiles.step(from: checkpoint)
    }
}

/// A run of two numbers per example whose checkpoint has a moment, an average and correlated noise to bring back.
private enum CheckpointFiles {
    typealias Optimizer = ScaleThenPrivatize<Adam<Double>, KnownSecondMoment<Adam<Double>.State>>

    static let names = ["state.json", "vectors.safetensors", "parameters.safetensors", "manifest.json"]

    static let trainer: Trainer<Network, Optimizer> = {
        do {
            let plan = try PrivacyPlan(
                sampling: .poisson(PoissonSampler(exampleCount: 8, samplingProbability: 0.5)), iterations: 6,
                clipping: .adaptiveQuantile(AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 3)),
                budget: .noiseMultiplier(1), delta: 1e-5, accountant: .rdp)
            return try Trainer(
                plan: plan, model: Network(.softmaxRegression(features: 2, classes: 2)),
                optimizer: ScaleThenPrivatize(adam(learningRate: 0.1), epsilon: 1e-2),
                options: TrainingOptions(averaging: .tail(fraction: 0.5), nonPrivateSeed: 1))
        } catch {
            fatalError("The trainer cannot be made: \(error)")
        }
    }()

    static let data = InMemoryDataset(
        inputs: Matrix(rows: 8, columns: 2, elements: (0..<16).map { Float($0 % 5) }),
        targets: .classes((0..<8).map { $0 % 2 }, classCount: 2))

    private static let folder = URL(fileURLWithPath: ScratchFile.folder).appending(path: "checkpoints")
    private static let step = folder.appending(path: "step-000000004")

    /// The checkpoint as it was written after four steps of six.
    static let original: URL = {
        let copy = URL(fileURLWithPath: ScratchFile.folder).appending(path: "original")
        do {
            _ = try trainer.fit(data, checkpoints: CheckpointFolder(folder, interval: 4)) {
                $0.step == 4 ? .stop : .proceed
            }
            try FileManager.default.copyItem(at: step, to: copy)
        } catch {
            fatalError("The checkpoint cannot be made: \(error)")
        }
        return copy
    }()

    private static let intact: [String: Data] = Dictionary(
        uniqueKeysWithValues: names.map { name in
            guard let data = try? Data(contentsOf: original.appending(path: name)) else {
                fatalError("'\(name)' is not in a checkpoint.")
            }
            return (name, data)
        })

    static func newest(after name: String, holds bytes: ArraySlice<UInt8>) throws -> RunCheckpoint<Optimizer>? {
        var files = intact
        files[name] = Data(bytes)
        if name != "manifest.json", let text = files["manifest.json"],
            var manifest = try JSONSerialization.jsonObject(with: text) as? [String: Any]
        {
            let entry: [String: Any] = [
                "length": bytes.count, "sha256": SHA256.hash(data: Data(bytes)).hexadecimal,
            ]
            var entries = manifest["files"] as? [String: Any] ?? [:]
            entries[name] = entry
            manifest["files"] = entries
            files["manifest.json"] = try JSONSerialization.data(withJSONObject: manifest)
        }
        for (name, data) in files { _ = ScratchFile.holding(data, named: "checkpoints/step-000000004/\(name)") }
        return try CheckpointFolder<Optimizer>(folder, interval: 1).newest(
            for: trainer.plan, layout: trainer.model.layout, fixedParametersDigest: nil)
    }

    /// A step from there: what was read has to fit together.
    static func step(from checkpoint: RunCheckpoint<Optimizer>) throws {
        var run = try PrivateRun(
            resuming: checkpoint.run, plan: trainer.plan, optimizer: trainer.optimizer,
            structure: trainer.model.initialParameters(seed: 0))
        var workspace = trainer.model.makeWorkspace()
        try run.step(microbatchSize: 8) { indices, parameters in
            trainer.model.gradients(of: data.examples(at: indices), at: parameters, workspace: &workspace)
        }
        var average = checkpoint.average
        average.add(run.vector, step: run.stepsTaken, of: trainer.plan.iterations, .tail(fraction: 0.5))
    }
}
