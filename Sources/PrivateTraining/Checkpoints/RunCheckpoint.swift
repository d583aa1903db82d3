import Foundation
import GradientTransformations
import PrivacyMechanisms
import PyTrees

/// Everything that training needs to go on: a run, the average of its parameters, the number of interruptions, and what
/// the report says of its beginning.
struct RunCheckpoint<Optimizer: AugmentedGradientTransformation>: Sendable {
    var run: RunSnapshot<Optimizer.State>
    var average: AveragedParameters
    var plan: PrivacyPlan
    /// What the plan's normalization released, which a run that goes on does not release again.
    var normalization: ChannelNormalization?
    var interruptions: Int
    /// What went into model and parameters that the plan does not cover, in whole sentences.
    var notCovered: [String]

    init(
        run: RunSnapshot<Optimizer.State>, average: AveragedParameters, plan: PrivacyPlan,
        normalization: ChannelNormalization?, interruptions: Int, notCovered: [String]
    ) {
        self.run = run
        self.average = average
        self.plan = plan
        self.normalization = normalization
        self.interruptions = interruptions
        self.notCovered = notCovered
    }

    /// What `state.json` holds beside the states of optimizer and noise, which are read only after the rest was
    /// checked.
    private struct Header: Codable {
        var plan: PrivacyPlan
        var normalization: ChannelNormalization?
        var optimizer: String
        var layout: TreeLayout
        var vectorLayouts: [TreeLayout]
        var stepsTaken: Int
        var interruptions: Int
        var notCovered: [String]
        var adaptiveL2ClipNorm: Double?
        var samplingSource: SamplingSource.SecretState
        var nonPrivateSeed: UInt64?
    }

    private struct State: Codable {
        var optimizer: Optimizer.State
        var average: AveragedParameters
        var noise: NoiseCheckpoint
    }

    private struct Document: Codable {
        var header: Header
        var state: State
    }

    private struct HeaderOnly: Decodable {
        var header: Header
    }

    /// Writes `state.json`, `vectors.safetensors` and `parameters.safetensors`.
    func write(to folder: URL) throws {
        let store = VectorStore()
        let encoder = JSONEncoder()
        encoder.userInfo[.vectorStore] = store
        encoder.outputFormatting = .sortedKeys
        let state = State(optimizer: run.state, average: average, noise: run.noise)
        // Once to learn which vectors there are: their layouts stand in the header.
        _ = try encoder.encode(state)
        let vectors = store.vectors
        encoder.userInfo[.vectorStore] = VectorStore()
        let header = Header(
            plan: plan, normalization: normalization, optimizer: Optimizer.identifier, layout: run.parameters.layout,
            vectorLayouts: vectors.map(\.layout), stepsTaken: run.stepsTaken, interruptions: interruptions,
            notCovered: notCovered,
            adaptiveL2ClipNorm: run.adaptiveL2ClipNorm, samplingSource: run.source.secretState,
            nonPrivateSeed: run.nonPrivateSeed)
        try AtomicFile.write(
            try encoder.encode(Document(header: header, state: state)), to: folder.appending(path: "state.json").path)
        try SafeTensors.write(
            ParameterVector(values: vectors.flatMap(\.values), layout: Self.joined(header.vectorLayouts)),
            to: folder.appending(path: "vectors.safetensors").path)
        try SafeTensors.write(
            run.parameters, metadata: ["step": "\(run.stepsTaken)"],
            to: folder.appending(path: "parameters.safetensors").path)
    }

    /// Reads what ``write(to:)`` wrote. Throws ``CheckpointError``.
    init(from folder: URL, for plan: PrivacyPlan, layout: TreeLayout) throws(CheckpointError) {
        let path = folder.path
        do {
            let decoder = JSONDecoder()
            let state = try Data(contentsOf: folder.appending(path: "state.json"))
            let header = try decoder.decode(HeaderOnly.self, from: state).header
            guard header.plan == plan else { throw CheckpointError.foreign(path: path, what: "plan") }
            guard header.optimizer == Optimizer.identifier else {
                throw CheckpointError.foreign(path: path, what: "optimizer")
            }
            guard header.layout == layout else { throw CheckpointError.foreign(path: path, what: "model") }
            let flat = try SafeTensors.read(
                folder.appending(path: "vectors.safetensors").path, as: Self.joined(header.vectorLayouts)
            ).parameters
            decoder.userInfo[.noiseScheme] = plan.noise
            decoder.userInfo[.vectorStore] = VectorStore(try Self.split(flat, into: header.vectorLayouts))
            let document = try decoder.decode(Document.self, from: state)
            // A finished run leaves out what its noise kept.
            if let steps = document.state.noise.stepsTaken, header.stepsTaken < plan.iterations,
                steps != header.stepsTaken
            {
                throw CheckpointError.corrupted(
                    path: path, reason: "Its noise is that after \(steps) steps, but \(header.stepsTaken) were taken.")
            }
            run = RunSnapshot(
                parameters: try SafeTensors.read(
                    folder.appending(path: "parameters.safetensors").path, as: layout
                ).parameters,
                state: document.state.optimizer, stepsTaken: header.stepsTaken,
                adaptiveL2ClipNorm: header.adaptiveL2ClipNorm,
                source: SamplingSource(secretState: header.samplingSource),
                nonPrivateSeed: header.nonPrivateSeed, noise: document.state.noise)
            guard header.normalization?.channelCount == plan.normalization?.channelCount else {
                throw CheckpointError.corrupted(
                    path: path, reason: "'state.json' has not what the plan's normalization released")
            }
            normalization = header.normalization
            average = document.state.average
            interruptions = header.interruptions
            notCovered = header.notCovered
            self.plan = plan
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw .corrupted(path: path, reason: "\(error)")
        }
    }

    /// The layout of one vector after the other, the leaves of each under its number.
    private static func joined(_ layouts: [TreeLayout]) throws -> TreeLayout {
        try TreeLayout(
            layouts.enumerated().flatMap { number, layout in
                layout.leaves.map { (path: TreePath(["\(number)"] + $0.path.keys), shape: $0.shape) }
            })
    }

    private static func split(_ flat: ParameterVector, into layouts: [TreeLayout]) throws -> [ParameterVector] {
        var begin = 0
        return try layouts.map { layout in
            defer { begin += layout.count }
            return try ParameterVector(values: Array(flat.values[begin..<begin + layout.count]), layout: layout)
        }
    }
}
