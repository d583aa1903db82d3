import Foundation
import Testing

/// Runs that can be repeated bit by bit: softmax or a perceptron on the digits, under an optimizer with two moments, a
/// pre-clipping scale and an average of parameters, so that a checkpoint has all of them to bring back.
struct SeededRun {
    var model = "softmax"
    var seed = 7
    var iterations = 220
    var checkpointInterval = 5
    /// The optimizer's name, and hyperparameters of its own.
    var optimizer = #""name": "adam""#

    var configuration: String {
        """
        {"data": {"kind": "digits"}, "model": "\(model)",
         "optimizer": {\(optimizer), "learningRate": {"kind": "cosine", "value": 0.02},
                       "scaleThenPrivatize": {"epsilon": 0.01}},
         "plan": {"expectedBatchSize": 60, "iterations": \(iterations), "noiseMultiplier": 1, "delta": 1e-5,
                  "accountant": "rdp", "clipping": {"method": "threshold", "l2ClipNorm": 1}},
         "averaging": {"kind": "tail", "fraction": 0.5}, "evaluationInterval": 1,
         "checkpointInterval": \(checkpointInterval), "nonPrivateSeed": \(seed)}
        """
    }

    static let resumption = ["train", "--resume", "--output", "RUN", "--threads", "1", "--format", "json"]

    /// Begins a run that writes to RUN in `folder`.
    func begin(in folder: WorkFolder, fileBlocks: Int? = nil) throws -> RunningProgram {
        try folder.write(configuration, to: "config.json")
        return try RunningProgram(
            ["train", "--config", "config.json", "--output", "RUN", "--threads", "1", "--format", "json"], in: folder,
            fileBlocks: fileBlocks)
    }

    /// What is the same however often a run was interrupted.
    struct Result: Equatable {
        let model: Data
        let metrics: String

        init(in folder: WorkFolder) throws {
            model = try folder.data("RUN/model.safetensors")
            metrics = try folder.text("RUN/metrics.jsonl")
        }
    }

    /// What the run of the default numbers comes to if nothing happens to it.
    static let usualResult = Swift.Result { try SeededRun().uninterrupted() }

    /// What the run comes to if nothing happens to it.
    func uninterrupted() throws -> Result {
        let folder = try WorkFolder()
        let outcome = try begin(in: folder).finish()
        try #require(outcome.status == 0, "\(outcome.complaints)")
        return try Result(in: folder)
    }

    /// Goes on with RUN to its end.
    static func resume(in folder: WorkFolder) throws -> Result {
        let outcome = try Program.run(resumption, in: folder)
        try #require(outcome.status == 0, "\(outcome.complaints)")
        #expect(try outcome.json()["isFinished"] as? Bool == true)
        // Known even to a process that had no step left to take.
        #expect(try outcome.json()["testAccuracy"] is Double)
        return try Result(in: folder)
    }
}
