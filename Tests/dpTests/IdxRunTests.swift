import Foundation
import Testing

/// From a folder in the format of MNIST to predictions.
@Suite struct IdxRunTests {
    @Test(arguments: [false, true])
    func trainEvaluateAndPredict(compressed: Bool) throws {
        let folder = try WorkFolder()
        try TinyImages.write(to: "images", in: folder, compressed: compressed)
        let trained = try Program.run(
            [
                "train", "--data", "images", "--model", "softmax", "--optimizer", "sgd", "--learning-rate", "2",
                "--epsilon", "8", "--delta", "1e-5", "--epochs", "20", "--batch", "100", "--clip", "1",
                "--non-private-seed", "5", "--threads", "1", "--output", "RUN", "--format", "json",
            ], in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        // Guessing gives 0.1.
        let accuracy = try #require(try trained.json()["testAccuracy"] as? Double)
        #expect(accuracy > 0.5)

        let evaluated = try Program.run(
            ["evaluate", "--run", "RUN", "--data", "images", "--format", "json"], in: folder)
        #expect(evaluated.status == 0, "\(evaluated.complaints)")
        #expect(try evaluated.json()["accuracy"] as? Double == accuracy)

        let predicted = try Program.run(
            ["predict", "--run", "RUN", "--data", "images", "--scores", "--output", "predictions.csv"], in: folder)
        #expect(predicted.status == 0, "\(predicted.complaints)")
        let lines = try folder.text("predictions.csv").split(separator: "\n").map { $0.split(separator: ",") }
        #expect(lines.count == 51)
        #expect(lines.allSatisfy { $0.count == 12 })
        let right = lines.dropFirst().enumerated().count { $1[1] == "\(TinyImages.label($0))" }
        #expect(Double(right) / 50 == accuracy)
        for line in lines.dropFirst() {
            let scores = line.dropFirst(2).compactMap { Double($0) }
            #expect(scores.firstIndex(of: try #require(scores.max())) == Int(line[1]))
        }

        let file = "images/t10k-images-idx3-ubyte" + (compressed ? ".gz" : "")
        let single = try Program.run(["predict", "--run", "RUN", "--data", file, "--scores"], in: folder)
        #expect(single.output == (try folder.text("predictions.csv")))
    }

    /// Labels 5 to 14 in files whose names have a full stop: 15 classes, which the model then has.
    @Test func theNumberOfClassesIsAnOption() throws {
        let folder = try WorkFolder()
        try TinyImages.write(to: "images", in: folder, compressed: false, firstLabel: 5, separator: ".")
        let training = [
            "train", "--data", "images", "--model", "softmax", "--optimizer", "sgd", "--learning-rate", "2",
            "--epsilon", "8", "--delta", "1e-5", "--epochs", "20", "--batch", "100", "--clip", "1",
            "--non-private-seed", "5", "--threads", "1", "--output", "RUN", "--format", "json",
        ]
        let refused = try Program.run(training, in: folder)
        #expect(refused.status == 1 && !folder.has("RUN"))
        #expect(refused.complaints.joined().contains("0..<10"))
        #expect(refused.complaints.joined().contains("--classes"))

        let trained = try Program.run(training + ["--classes", "15"], in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        let accuracy = try #require(try trained.json()["testAccuracy"] as? Double)
        #expect(accuracy > 0.5)
        let evaluated = try Program.run(
            ["evaluate", "--run", "RUN", "--data", "images", "--format", "json"], in: folder)
        #expect(try evaluated.json()["accuracy"] as? Double == accuracy)
        #expect(try evaluated.json()["isOfTrainingData"] as? Bool == false)
        let predicted = try Program.run(["predict", "--run", "RUN", "--data", "images", "--scores"], in: folder)
        let lines = predicted.output.split(separator: "\n").map { $0.split(separator: ",") }
        #expect(lines.count == 51 && lines.allSatisfy { $0.count == 17 })
        let right = lines.dropFirst().enumerated().count { $1[1] == "\(5 + TinyImages.label($0))" }
        #expect(Double(right) / 50 == accuracy)
    }
}
