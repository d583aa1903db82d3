import Foundation
import Testing
import _TestSupport

/// Token sequences of NumPy's files, in memory and from disk.
@Suite struct SequenceRunTests {
    private static let plan = [
        "--epsilon", "8", "--delta", "1e-5", "--iterations", "6", "--batch", "30", "--clip", "1",
        "--learning-rate", "0.01", "--non-private-seed", "5", "--threads", "1", "--output", "RUN", "--format", "json",
    ]

    private func folder() throws -> WorkFolder {
        let folder = try WorkFolder()
        for (name, part) in [("", 0..<90), ("t", 90..<110)] {
            let count = part.count
            let ids = part.flatMap { example in (0..<4).map { Int32((example * 31 + $0 * 17) % 50) } }
            try folder.write(Data(npy("<i4", [count, 4], ids)), to: "x\(name).npy")
            try folder.write(Data(npy("<i8", [count], part.map { Int64(1 + $0 % 4) })), to: "l\(name).npy")
            try folder.write(Data(npy("<i8", [count], part.map { Int64($0 % 2) })), to: "y\(name).npy")
        }
        return folder
    }

    private static let data = [
        "x.npy", "--labels", "y.npy", "--lengths", "l.npy", "--classes", "2", "--test-data", "xt.npy", "--test-labels",
        "yt.npy", "--test-lengths", "lt.npy",
    ]

    /// Both ways give the same model, evaluation and predictions, and the model knows that it takes tokens.
    @Test func streamedRunsAreTheSame() throws {
        let folder = try folder()
        var seen: [[Data]] = []
        for stream in [[], ["--stream"]] {
            let trained = try Program.run(["train", "--data"] + Self.data + stream + Self.plan, in: folder)
            #expect(trained.status == 0, "\(trained.complaints)")
            let accuracy = try #require(try trained.json()["testAccuracy"] as? Double)
            #expect(try folder.object("RUN/model.json")["inputs"] as? String == "tokens")
            let own = ["--run", "RUN", "--data", "xt.npy", "--lengths", "lt.npy"] + stream
            let evaluated = try Program.run(["evaluate", "--labels", "yt.npy", "--format", "json"] + own, in: folder)
            #expect(evaluated.status == 0, "\(evaluated.complaints)")
            #expect(try evaluated.json()["accuracy"] as? Double == accuracy)
            let predicted = try Program.run(["predict"] + own, in: folder)
            #expect(predicted.status == 0, "\(predicted.complaints)")
            let training = try Program.run(
                [
                    "evaluate", "--run", "RUN", "--data", "x.npy", "--labels", "y.npy", "--lengths", "l.npy",
                    "--format", "json",
                ]
                    + stream, in: folder)
            #expect(try training.json()["isOfTrainingData"] as? Bool == true)
            seen.append([try folder.data("RUN/model.safetensors"), Data(predicted.output.utf8)])
            try folder.remove("RUN")
        }
        #expect(seen[0] == seen[1])
    }

    /// CSV, too, with features that are mapped when they are read.
    @Test func streamedTablesAreTheSame() throws {
        let folder = try WorkFolder()
        try folder.write(ClientsCSV.text(0..<300), to: "train.csv")
        try folder.write(ClientsCSV.text(300..<340), to: "test.csv")
        try folder.write(ClientsCSV.schema(), to: "schema.json")
        var models: [Data] = []
        for stream in [[], ["--stream"]] {
            let data = ["train", "--data", "train.csv", "--schema", "schema.json", "--test-data", "test.csv"]
            let trained = try Program.run(data + stream + Self.plan, in: folder)
            #expect(trained.status == 0, "\(trained.complaints)")
            models.append(try folder.data("RUN/model.safetensors"))
            let same = try Program.run(
                data.map { $0 == "test.csv" ? "copy.csv" : $0 } + stream + Self.plan, in: folder)
            #expect(same.messages.contains("no such file"))
            try folder.remove("RUN")
        }
        #expect(models[0] == models[1])
    }

    @Test func streamedImagesAreMapped() throws {
        let folder = try WorkFolder()
        let pixels = (0..<60 * 64).map { (place: Int) in UInt8(place * 37 % 256) }
        let labels = (0..<60).map { (example: Int) in Int64(example % 3) }
        try folder.write(Data(npy("|u1", [60, 8, 8], pixels)), to: "x.npy")
        try folder.write(Data(npy("<i8", [60], labels)), to: "y.npy")
        var models: [Data] = []
        for streaming in ["false", "true"] {
            let configuration = """
                {"data": {"kind": "numpy", "path": "x.npy", "labels": "y.npy", "classCount": 3,
                          "streaming": \(streaming)},
                 "features": {"kind": "scattering", "height": 8, "width": 8},
                 "model": "softmax", "optimizer": {"name": "sgd", "learningRate": 0.1},
                 "plan": {"expectedBatchSize": 20, "iterations": 4, "noiseMultiplier": 1, "delta": 1e-5},
                 "nonPrivateSeed": 3}
                """
            try folder.write(configuration, to: "c.json")
            let trained = try Program.run(
                ["train", "--config", "c.json", "--output", "RUN", "--format", "json", "--threads", "1"], in: folder)
            #expect(trained.status == 0, "\(trained.complaints)")
            models.append(try folder.data("RUN/model.safetensors"))
            try folder.remove("RUN")
        }
        #expect(models[0] == models[1])
    }

    @Test(arguments: [
        (["--lengths", "none.npy"], ["--lengths: There is no such file"]),
        (["--lengths", "lt.npy"], ["20 lengths", "90 sequences"]),
        (["--inputs", "words"], ["--inputs is 'words'", "features, tokens"]),
        (["--test-data", "xt.npy", "--test-labels", "yt.npy", "--test-lengths", "lt.npy"], ["--lengths", "training"]),
        (["--test-lengths", "lt.npy"], ["testLengths", "no test set"]),
    ])
    func whatIsWrongIsSaid(_ options: [String], _ says: [String]) throws {
        let folder = try folder()
        let arguments = ["train", "--data", "x.npy", "--labels", "y.npy", "--classes", "2"] + options + Self.plan
        let refused = try Program.run(arguments, in: folder)
        #expect(refused.status != 0 && refused.messages.hasPrefix("Error: "))
        let message = refused.messages.replacing("\n", with: " ")
        for part in says { #expect(message.contains(part), "\(message)") }
        #expect(!folder.has("RUN"))
    }

    /// A model of features takes no token ids, though they have as many columns.
    @Test func modelsOfFeaturesTakeNoTokens() throws {
        let folder = try folder()
        let training = ["train", "--data", "x.npy", "--labels", "y.npy", "--classes", "2"] + Self.plan
        #expect(try Program.run(training, in: folder).status == 0)
        for command in [["predict"], ["evaluate", "--labels", "yt.npy"]] {
            let own = ["--run", "RUN", "--data", "xt.npy"]
            #expect(try Program.run(command + own, in: folder).status == 0)
            let refused = try Program.run(command + own + ["--lengths", "lt.npy"], in: folder)
            #expect(refused.status == 64 && refused.messages.contains("trained on features"), "\(refused.messages)")
        }
    }

    @Test func whatCannotBeStreamedSaysSo() throws {
        let folder = try folder()
        let arguments = ["train", "--demo", "--stream", "--output", "RUN"]
        #expect(try Program.run(arguments, in: folder).messages.contains("--stream is no setting of digits"))
        try folder.write(gzipped(try folder.data("x.npy")), to: "x.npy.gz")
        let refused = try Program.run(
            ["train", "--data", "x.npy.gz", "--labels", "y.npy", "--classes", "2", "--stream"] + Self.plan, in: folder)
        #expect(refused.messages.replacing("\n", with: " ").contains("Decompress it"))
    }
}
