import Foundation
import Testing
import _TestSupport

/// From files of NumPy's to predictions.
@Suite struct NumPyRunTests {
    private static func training(_ data: [String], model: String = "softmax") -> [String] {
        ["train", "--data"] + data + [
            "--model", model, "--optimizer", "sgd", "--learning-rate", "2", "--epsilon", "8", "--delta", "1e-5",
            "--epochs", "20", "--batch", "100", "--clip", "1", "--non-private-seed", "5", "--threads", "1", "--output",
            "RUN", "--format", "json",
        ]
    }

    /// Whose class says which of four features is large.
    private static func features(_ examples: Range<Int>) -> [Float] {
        examples.flatMap { example in
            (0..<4).map { $0 == label(example) ? 1 : Float((example * 31 + $0 * 17) % 40) / 100 }
        }
    }

    private static func label(_ example: Int) -> Int { (example * 7) % 3 }

    /// What the numbers to predict are: the sum of the features.
    private static func sums(_ examples: Range<Int>) -> [Double] {
        examples.map { example in features(example..<example + 1).reduce(0) { $0 + Double($1) } }
    }

    private static let (train, test) = (0..<400, 400..<450)

    private func folder() throws -> WorkFolder {
        let folder = try WorkFolder()
        for (name, part) in [("", Self.train), ("t", Self.test)] {
            let inputs = npy("<f4", [part.count, 2, 2], Self.features(part))
            let labels = npy("<i8", [part.count], part.map { Int64(Self.label($0)) })
            try folder.write(Data(inputs), to: "X\(name).npy")
            try folder.write(Data(labels), to: "y\(name).npy")
            try folder.write(Data(npy("<f8", [part.count, 1], Self.sums(part))), to: "sum\(name).npy")
        }
        let names = [("x_train", "X"), ("y_train", "y"), ("x_test", "Xt"), ("y_test", "yt")]
        let archive = zipped(try names.map { ($0 + ".npy", Array(try folder.data($1 + ".npy"))) })
        try folder.write(Data(archive), to: "both.npz")
        return folder
    }

    /// A short form over sequences of features is the same model as a file with its layers.
    @Test func aShortFormIsAFileOfLayers() throws {
        let folder = try folder()
        let layers = """
            {"input": {"positions": 2, "width": 2}, "loss": "softmaxCrossEntropy", "layers": [
                {"kind": "gru", "width": 8, "returns": "last"},
                {"kind": "dense", "outputs": 3, "activation": "identity"}]}
            """
        try folder.write(Data(layers.utf8), to: "layers.json")
        var models: [Data] = []
        for model in ["gru:8", "layers.json"] {
            let data = ["X.npy", "--labels", "y.npy", "--classes", "3"]
            let trained = try Program.run(Self.training(data, model: model), in: folder)
            #expect(trained.status == 0, "\(trained.complaints)")
            models.append(try folder.data("RUN/model.safetensors"))
            let evaluated = try Program.run(
                ["evaluate", "--run", "RUN", "--data", "Xt.npy", "--labels", "yt.npy", "--format", "json"], in: folder)
            #expect(try #require(evaluated.json()["accuracy"] as? Double) > 0.5)
            try folder.remove("RUN")
        }
        #expect(models[0] == models[1])
        try folder.write(Data(#"{"layers": []}"#.utf8), to: "broken.json")
        let broken = try Program.run(Self.training(["X.npy", "--labels", "y.npy"], model: "broken.json"), in: folder)
        #expect(broken.status == 64 && broken.messages.contains("input"), "\(broken.complaints)")
    }

    @Test func separateFilesAndAnArchiveGiveTheSameModel() throws {
        let folder = try folder()
        let separate = ["X.npy", "--labels", "y.npy", "--test-data", "Xt.npy", "--test-labels", "yt.npy"]
        var models: [Data] = []
        for data in [separate, ["both.npz"]] {
            let trained = try Program.run(Self.training(data + ["--classes", "3"]), in: folder)
            #expect(trained.status == 0, "\(trained.complaints)")
            let accuracy = try #require(try trained.json()["testAccuracy"] as? Double)
            #expect(accuracy > 0.8)
            models.append(try folder.data("RUN/model.safetensors"))

            var predictions: Set<String> = []
            for (file, labels) in [("Xt.npy", ["--labels", "yt.npy"]), ("both.npz", [])] {
                let evaluated = try Program.run(
                    ["evaluate", "--run", "RUN", "--data", file, "--format", "json"] + labels, in: folder)
                #expect(evaluated.status == 0, "\(evaluated.complaints)")
                #expect(try evaluated.json()["accuracy"] as? Double == accuracy)
                #expect(try evaluated.json()["isOfTrainingData"] as? Bool == false)
                let predicted = try Program.run(["predict", "--run", "RUN", "--data", file], in: folder)
                #expect(predicted.status == 0, "\(predicted.complaints)")
                predictions.insert(predicted.output)
            }
            #expect(predictions.count == 1)
            let lines = try #require(predictions.first).split(separator: "\n").map { $0.split(separator: ",") }
            #expect(lines.count == 51 && lines[0] == ["example", "class"])
            let right = zip(Self.test, lines.dropFirst()).count { $1[1] == "\(Self.label($0))" }
            #expect(Double(right) / 50 == accuracy)
            let onTraining = try Program.run(
                ["evaluate", "--run", "RUN", "--data", "X.npy", "--labels", "y.npy", "--format", "json"], in: folder)
            #expect(try onTraining.json()["isOfTrainingData"] as? Bool == true)
            try folder.remove("RUN")
        }
        #expect(models[0] == models[1])
    }

    /// The same data through a configuration file; the run's own names them by absolute paths.
    @Test func aConfigurationNamesThem() throws {
        let folder = try folder()
        let configuration = """
            {"data": {"kind": "numpy", "path": "X.npy", "labels": "./y.npy", "testPath": "Xt.npy",
                      "testLabels": "yt.npy", "classCount": 3},
             "model": "softmax", "optimizer": {"name": "sgd", "learningRate": 2},
             "plan": {"expectedBatchSize": 100, "iterations": 20, "noiseMultiplier": 1, "delta": 1e-5,
                      "clipping": {"method": "threshold", "l2ClipNorm": 1}}}
            """
        try folder.write(configuration, to: "c.json")
        let arguments = ["train", "--config", "c.json", "--output", "RUN", "--format", "json"]
        let trained = try Program.run(arguments, in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        #expect(try trained.json()["testAccuracy"] is Double)
        let data = try #require(try folder.object("RUN/config.json")["data"] as? [String: Any])
        #expect(data["classCount"] as? Int == 3)
        for key in ["path", "labels", "testPath", "testLabels"] {
            let path = try #require(data[key] as? String)
            #expect(path.hasPrefix("/") && FileManager.default.fileExists(atPath: path))
        }
        try folder.remove("RUN")
        let wrong = try Program.run(arguments + ["--classes", "2"], in: folder)
        #expect(wrong.status == 1 && wrong.complaints.joined().contains("0..<2"))
    }

    private static func bytes(_ part: Range<Int>) -> [UInt8] {
        npy("|u1", [part.count, 2, 2], features(part).map { UInt8(255 * $0) })
    }

    /// Unsigned bytes are scaled, and other numbers are not: a model remembers which ones it was trained on.
    @Test(arguments: [true, false]) func dataOfTheOtherKindIsRefused(_ areBytes: Bool) throws {
        let folder = try folder()
        try folder.write(Data(Self.bytes(Self.train)), to: "B.npy")
        try folder.write(Data(Self.bytes(Self.test)), to: "Bt.npy")
        let (own, other) = areBytes ? ("B", "X") : ("X", "B")
        let data = ["\(own).npy", "--labels", "y.npy", "--classes", "3"]
        #expect(try Program.run(Self.training(data), in: folder).status == 0)
        #expect(try folder.object("RUN/model.json")["byteInputs"] as? Bool == areBytes)
        for command in [["evaluate", "--labels", "yt.npy"], ["predict"]] {
            let options = Array(command.dropFirst()) + ["--run", "RUN", "--data"]
            let refused = try Program.run([command[0]] + options + ["\(other)t.npy"], in: folder)
            #expect(refused.status == 1 && refused.output.isEmpty)
            for part in ["'|u1'", "'<f4'", "1/255"] where part != "'<f4'" || areBytes || command[0] == "predict" {
                #expect(refused.messages.contains(part), "\(refused.messages)")
            }
            #expect(try Program.run([command[0]] + options + ["\(own)t.npy"], in: folder).status == 0)
        }
    }

    /// Labels of their own win over those of the archive's test set, in training and in evaluation.
    @Test func givenLabelsAreThoseOfTheSetThatIsUsed() throws {
        let folder = try folder()
        let turned = npy("<i8", [Self.test.count], Self.test.map { Int64((Self.label($0) + 1) % 3) })
        try folder.write(Data(turned), to: "turned.npy")
        for data in [["both.npz"], ["X.npy", "--labels", "y.npy", "--test-data", "both.npz"]] {
            let options = data + ["--test-labels", "turned.npy", "--classes", "3"]
            let trained = try Program.run(Self.training(options), in: folder)
            #expect(trained.status == 0, "\(trained.complaints)")
            #expect(try #require(try trained.json()["testAccuracy"] as? Double) < 0.2)
            let evaluated = try Program.run(
                ["evaluate", "--run", "RUN", "--data", "both.npz", "--labels", "turned.npy", "--format", "json"],
                in: folder)
            #expect(evaluated.status == 0, "\(evaluated.complaints)")
            #expect(try #require(try evaluated.json()["accuracy"] as? Double) < 0.2)
            #expect(try evaluated.json()["exampleCount"] as? Int == 50)
            try folder.remove("RUN")
        }
    }

    @Test func optionsWithoutEffectAreRefused() throws {
        let folder = try folder()
        let data = ["X.npy", "--labels", "sum.npy"]
        #expect(try Program.run(Self.training(data, model: "linear"), in: folder).status == 0)
        for option in ["--scores", "--without-label-column"] {
            let refused = try Program.run(["predict", "--run", "RUN", "--data", "Xt.npy", option], in: folder)
            #expect(refused.status == 64 && refused.output.isEmpty)
            #expect(refused.messages.contains("\(option) would have no effect"), "\(refused.messages)")
        }
    }

    @Test func numbersArePredicted() throws {
        let folder = try folder()
        let data = ["X.npy", "--labels", "sum.npy", "--test-data", "Xt.npy", "--test-labels", "sumt.npy"]
        let arguments = Self.training(data, model: "linear").map { $0 == "2" ? "0.1" : $0 }
        let trained = try Program.run(arguments, in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        let predicted = try Program.run(["predict", "--run", "RUN", "--data", "Xt.npy"], in: folder)
        let lines = predicted.output.split(separator: "\n").map { $0.split(separator: ",") }
        #expect(lines[0] == ["example", "value0"])
        let numbers = lines.dropFirst().compactMap { Double($0[1]) }
        #expect(numbers.count == 50)
        // Sums are between 1 and 2.2.
        #expect(zip(numbers, Self.sums(Self.test)).allSatisfy { abs($0 - $1) < 0.5 })
    }

    @Test(arguments: [
        (["X.npy"], "--labels"), (["X.npy", "--labels", "y.npy"], "--classes"),
        (["X.npy", "--labels", "sum.npy"], "use a linear model"),
        (["X.npy", "--labels", "y.npy", "--classes", "2"], "0..<2"),
        (["X.npy", "--labels", "sum.npy", "--classes", "3"], "'<f8'"),
        (["X.npy", "--labels", "yt.npy", "--classes", "3"], "50 labels"),
        (["both.npz", "--test-data", "Xt.npy", "--classes", "3"], "--test-labels"),
        (["X.npy", "--labels", "y.npy", "--test-labels", "yt.npy", "--classes", "3"], "--test-data"),
        (["both.npz", "--test-data", "Bt.npy", "--test-labels", "yt.npy", "--classes", "3"], "'|u1'"),
        (["both.npz", "--test-data", "copy.npy", "--test-labels", "y.npy", "--classes", "3"], "trained and tested on"),
        (["both.npz", "--test-data", "./both.npz", "--classes", "3"], "trained and tested on"),
        (["both.npz", "--classes", "1"], "--classes is 1"),
    ])
    func wrongFilesAreRefused(_ data: [String], _ says: String) throws {
        let folder = try folder()
        try folder.write(try folder.data("X.npy"), to: "copy.npy")
        try folder.write(Data(Self.bytes(Self.test)), to: "Bt.npy")
        let refused = try Program.run(Self.training(data), in: folder)
        #expect([1, 64].contains(refused.status) && refused.output.isEmpty)
        #expect(refused.messages.contains(says), "\(refused.messages)")
        #expect(!folder.has("RUN"))
    }
}
