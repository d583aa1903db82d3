import Crypto
import Foundation
import GradientTransformations
import PrivacyMechanisms
import PyTrees

/// A folder of checkpoints of one run, each a folder of its own: `step-000000120` with
///
/// - `parameters.safetensors`: the parameters, for any program that reads the format;
/// - `vectors.safetensors`: the optimizer's moments and the running average;
/// - `state.json`: counters, the plan, the key of the run's structure, and which vector goes where;
/// - `manifest.json`: lengths and SHA-256 checksums of the others, and one of what the model keeps fixed, which stands
///   in none of them.
///
/// A checkpoint appears whole, by a rename after everything is on disk, or not at all. The last two are kept; of a
/// finished run, the last one. What a killed process was writing is never read, and is removed when the next checkpoint
/// is written; a checkpoint that it was replacing is brought back.
///
/// **Guarantee:** a run that goes on from a checkpoint under secure keys takes its noise, and the choices of its steps,
/// from fresh keys.
///
/// - Noise that was used after the checkpoint is not used again.
/// - Steps that are taken again, because they were lost or because the checkpoint was copied, draw batches of their own
///   unless the structure of the run decides them: see ``/PrivacyMechanisms/BatchRepetition``.
/// - No file holds the choices of single steps, past or future.
/// - A seeded run goes on bit by bit.
///
/// The ε of a run counts each of its steps once. If two copies of a checkpoint are both continued, that is the ε of
/// each alone; who sees both has seen the steps of both, and each of them counts.
///
/// - Warning: `state.json` holds the key of the run's structure (groups, bins, slots, epochs) and the plan, which for
///   ``/PrivacyMechanisms/UserSampler`` says who owns which example. It is as confidential as the data, and its folder
///   is open to its owner alone. ε of allocations, bins and slots counts on their being hidden: to whoever has read the
///   key, a run costs what its participations cost. `parameters.safetensors` is private in the sense of the plan.
public struct CheckpointFolder<Optimizer: AugmentedGradientTransformation>: Sendable {
    /// Where the checkpoints are.
    public let url: URL
    /// A checkpoint is written after every so many steps, at least 1.
    public let interval: Int

    /// Checkpoints in `url`, which is made when the first one is written.
    ///
    /// Throws ``TrainingError/outOfRange(name:value:allowed:)`` unless `interval` is at least 1.
    public init(_ url: URL, interval: Int) throws(TrainingError) {
        guard interval >= 1 else {
            throw .outOfRange(name: "the checkpoint interval", value: "\(interval)", allowed: "at least 1")
        }
        self.url = url
        self.interval = interval
    }

    /// In format 1 the key in `state.json` decided the choices of steps, too, and slots otherwise than now. In format 2
    /// optimizers were named by their types, and the state of the noise was a position in a stream. Format 3 did not
    /// say what of its beginning is not covered, and format 4 not which parameters were frozen. Up to format 5, sums
    /// and noise were in floating point.
    static var format: Int { 6 }

    func isDue(at step: Int) -> Bool { step.isMultiple(of: interval) }

    /// Writes a checkpoint and removes all but the last two (of a finished run: all others), and what a killed process
    /// left. Throws ``/Datasets/FileError``, and then leaves the folder as it was.
    func save(_ checkpoint: RunCheckpoint<Optimizer>, fixedParametersDigest: String?) throws {
        let step = checkpoint.run.stepsTaken
        let target = url.appending(path: String(format: "step-%09d", step))
        let temporary = temporary(for: target.lastPathComponent)
        defer { try? FileManager.default.removeItem(at: temporary) }
        try makeFolder(temporary)
        try checkpoint.write(to: temporary)
        var manifest = Manifest(
            format: Self.format, step: step, fixedParametersDigest: fixedParametersDigest, files: [:])
        for file in Self.files { manifest.files[file] = Manifest.Entry(try read(file, in: temporary)) }
        try AtomicFile.write(try JSONEncoder().encode(manifest), to: temporary.appending(path: "manifest.json").path)
        try AtomicFile.moveFolder(temporary.path, to: target.path)
        try removeOlder(isFinished: step == checkpoint.plan.iterations)
    }

    /// Removes what is not kept: all but the last two checkpoints, and with a finished run all but the last, since the
    /// key of the run's structure is in the others; and what a killed process was writing.
    func removeOlder(isFinished: Bool) throws {
        // Those that stood aside first: one whose step is removed before it would be taken for the last of its step.
        for leftover in try leftovers() { try? FileManager.default.removeItem(at: url.appending(path: leftover)) }
        for old in try names().dropLast(isFinished ? 1 : 2) {
            // It goes file by file. Who is killed then leaves nothing that has a checkpoint's name.
            let doomed = temporary(for: old)
            try? FileManager.default.moveItem(at: url.appending(path: old), to: doomed)
            try? FileManager.default.removeItem(at: doomed)
        }
    }

    /// A name that nobody takes for a finished checkpoint: it begins with a full stop.
    private func temporary(for name: String) -> URL {
        url.appending(path: ".\(name).\(UUID().uuidString)\(Self.partialSuffix)")
    }

    /// The newest checkpoint; nil if there is none. Throws ``CheckpointError`` if it is damaged, or of another plan,
    /// optimizer or model, or of one that keeps other values fixed.
    func newest(
        for plan: PrivacyPlan, layout: TreeLayout, fixedParametersDigest: String?
    ) throws -> RunCheckpoint<Optimizer>? {
        try restoreAside()
        guard let name = try names().last else { return nil }
        let folder = url.appending(path: name)
        let manifest: Manifest = try decode(read("manifest.json", in: folder), folder)
        guard manifest.format == Self.format else {
            throw CheckpointError.unsupportedFormat(
                path: folder.path, found: manifest.format, supported: Self.format)
        }
        for file in Self.files {
            let entry = Manifest.Entry(try read(file, in: folder))
            guard manifest.files[file] == entry else {
                throw CheckpointError.corrupted(
                    path: folder.path, reason: "'\(file)' is not the file that was written (\(entry.length) bytes)")
            }
        }
        let checkpoint = try RunCheckpoint<Optimizer>(from: folder, for: plan, layout: layout)
        guard manifest.fixedParametersDigest == fixedParametersDigest else {
            throw CheckpointError.otherFixedParameters(path: folder.path)
        }
        return checkpoint
    }

    private static var files: [String] { ["state.json", "vectors.safetensors", "parameters.safetensors"] }

    /// Keeps other processes from going on with the same run. Throws ``CheckpointError/inUse(path:)`` if somebody does.
    func lock() throws -> FolderLock {
        try makeFolder()
        return try FolderLock(url.path)
    }

    private func makeFolder() throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            // Checkpoints are as secret as the data, and results are what people commit.
            let ignored = url.appending(path: ".gitignore")
            if !FileManager.default.fileExists(atPath: ignored.path) { try Data("*\n".utf8).write(to: ignored) }
        } catch {
            throw .unwritable(path: url.path, reason: error.localizedDescription)
        }
    }

    private func makeFolder(_ temporary: URL) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(
                at: temporary, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .unwritable(path: url.path, reason: error.localizedDescription)
        }
    }

    private struct Manifest: Codable {
        struct Entry: Codable, Equatable {
            let length: Int
            let sha256: String

            init(_ data: Data) {
                length = data.count
                sha256 = SHA256.hash(data: data).hexadecimal
            }
        }

        let format: Int
        let step: Int
        /// Nil for a model that keeps nothing fixed.
        let fixedParametersDigest: String?
        var files: [String: Entry]
    }

    private static var partialSuffix: String { ".partial" }

    /// Gives a checkpoint its name back that had stepped aside for another one of the same step when its writer was
    /// killed. Without it, steps that were reported would be taken again.
    private func restoreAside() throws {
        for name in try leftovers() where name.hasSuffix(AtomicFile.asideSuffix) {
            guard let step = name.firstMatch(of: /^\.(step-[0-9]{9,})\./)?.1 else { continue }
            let target = url.appending(path: String(step))
            guard !FileManager.default.fileExists(atPath: target.path) else { continue }
            do {
                try FileManager.default.moveItem(at: url.appending(path: name), to: target)
            } catch {
                throw CheckpointError.unreadable(path: url.path, reason: error.localizedDescription)
            }
        }
    }

    /// The checkpoints' names, the newest last. Folders that are still being written have other names.
    private func names() throws -> [String] {
        try contents().filter { $0.wholeMatch(of: /step-[0-9]{9,}/) != nil }
            .sorted { ($0.count, $0) < ($1.count, $1) }
    }

    /// Folders whose writer did not come to their end: a run has one writer, which is not writing now.
    private func leftovers() throws -> [String] {
        try contents().filter { $0.hasPrefix(".step-") }
    }

    private func contents() throws -> [String] {
        guard FileManager.default.fileExists(atPath: url.path) else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: url.path)
        } catch {
            throw CheckpointError.unreadable(path: url.path, reason: error.localizedDescription)
        }
    }

    private func read(_ file: String, in folder: URL) throws(CheckpointError) -> Data {
        do {
            return try Data(contentsOf: folder.appending(path: file))
        } catch {
            throw .corrupted(path: folder.path, reason: "'\(file)' is missing or cannot be read")
        }
    }

    private func decode<Value: Decodable>(_ data: Data, _ folder: URL) throws(CheckpointError) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch {
            throw .corrupted(path: folder.path, reason: "'manifest.json' is not the file that was written")
        }
    }
}
