import Foundation
import Testing

/// Attack: have losses on the private examples printed without noise, by giving them as test data under another name.
@Suite struct TestOnTrainingDataTests {
    private static func training(_ data: String, _ model: String) -> [String] {
        [
            "train", "--data", data, "--model", model, "--optimizer", "adam", "--learning-rate", "0.2", "--epsilon",
            "4", "--delta", "1e-5", "--epochs", "2", "--batch", "100", "--clip", "1", "--threads", "1", "--output",
            "RUN", "--format", "json",
        ]
    }

    private static let csv = training("train.csv", "logistic") + ["--schema", "schema.json"]

    /// Ways to have the training file once more under another name.
    enum Disguise: String, CaseIterable {
        case samePath, symbolicLink, hardLink, copy, gzip, lineEnds

        func make(in folder: WorkFolder) throws -> String {
            let (file, other) = (folder.url.appending(path: "train.csv"), folder.url.appending(path: "other.csv"))
            switch self {
            case .samePath: return "./train.csv"
            case .symbolicLink: try FileManager.default.createSymbolicLink(at: other, withDestinationURL: file)
            case .hardLink: try FileManager.default.linkItem(at: file, to: other)
            case .copy: try FileManager.default.copyItem(at: file, to: other)
            case .gzip: try folder.write(gzipped(Data(contentsOf: file)), to: "other.csv")
            case .lineEnds: try folder.write(ClientsCSV.text(0..<600).replacing("\n", with: "\r\n"), to: "other.csv")
            }
            return "other.csv"
        }
    }

    private func folder() throws -> WorkFolder {
        let folder = try WorkFolder()
        try folder.write(ClientsCSV.text(0..<600), to: "train.csv")
        try folder.write(ClientsCSV.text(600..<1200), to: "test.csv")
        try folder.write(ClientsCSV.schema(), to: "schema.json")
        return folder
    }

    @Test(arguments: Disguise.allCases)
    func theTrainingFileUnderAnotherNameIsRefused(_ disguise: Disguise) throws {
        let folder = try folder()
        let path = try disguise.make(in: folder)
        let refused = try Program.run(Self.csv + ["--test-data", path], in: folder)
        #expect(refused.status == 1)
        #expect(refused.output.isEmpty)
        let message = refused.complaints.joined()
        #expect(message.contains("'train.csv'") && message.contains("'\(path)'"), "\(message)")
        #expect(message.contains("Test on other data"))
        #expect(!folder.has("RUN"))
    }

    /// The same through a configuration file, and with the training data compressed.
    @Test func aConfigurationIsNoWayAround() throws {
        let folder = try folder()
        try folder.write(gzipped(try folder.data("train.csv")), to: "train.csv.gz")
        let configuration = """
            {"data": {"kind": "csv", "path": "train.csv.gz", "testPath": "train.csv", "schema": "schema.json"},
             "model": "logistic", "optimizer": {"name": "sgd", "learningRate": 1},
             "plan": {"expectedBatchSize": 60, "iterations": 2, "noiseMultiplier": 1, "delta": 1e-5,
                      "clipping": {"method": "threshold", "l2ClipNorm": 1}}}
            """
        try folder.write(configuration, to: "config.json")
        let refused = try Program.run(["train", "--config", "config.json", "--output", "RUN"], in: folder)
        #expect(refused.status == 1)
        #expect(refused.complaints.joined().contains("'train.csv.gz'"))
        #expect(!folder.has("RUN"))
    }

    /// Control: other examples are not refused, though they are as many, and of as many bytes.
    @Test func otherExamplesAreNotRefused() throws {
        let folder = try folder()
        let trained = try Program.run(Self.csv + ["--test-data", "test.csv"], in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        // One age is another, in as many bytes.
        let text = try folder.text("train.csv")
        try folder.write(text.replacing("\n18,", with: "\n19,", maxReplacements: 1), to: "almost.csv")
        #expect(try folder.text("almost.csv") != text)
        try folder.remove("RUN")
        let almost = try Program.run(Self.csv + ["--test-data", "almost.csv"], in: folder)
        #expect(almost.status == 0, "\(almost.complaints)")
    }

    /// The images of the test set are those of the training set, by link, copy or compression; their labels need not
    /// be.
    @Test(arguments: Disguise.allCases.filter { $0 != .samePath && $0 != .lineEnds }, [true, false])
    func trainingImagesAmongTestFilesAreRefused(_ disguise: Disguise, hasSameLabels: Bool) throws {
        let folder = try WorkFolder()
        try TinyImages.write(to: "images", in: folder, compressed: false)
        let train = folder.url.appending(path: "images/train-images-idx3-ubyte")
        let test = folder.url.appending(path: "images/t10k-images-idx3-ubyte")
        try FileManager.default.removeItem(at: test)
        switch disguise {
        case .symbolicLink: try FileManager.default.createSymbolicLink(at: test, withDestinationURL: train)
        case .hardLink: try FileManager.default.linkItem(at: train, to: test)
        case .gzip: try folder.write(gzipped(Data(contentsOf: train)), to: "images/t10k-images-idx3-ubyte.gz")
        default: try FileManager.default.copyItem(at: train, to: test)
        }
        var labels = TinyImages.labels(400)
        if !hasSameLabels { labels[labels.count - 1] ^= 1 }
        try folder.write(labels, to: "images/t10k-labels-idx1-ubyte")
        let refused = try Program.run(Self.training("images", "softmax"), in: folder)
        #expect(refused.status == 1)
        let message = refused.complaints.joined()
        #expect(message.contains("train-images-idx3-ubyte'") && message.contains("t10k-images-idx3-ubyte"))
        #expect(!folder.has("RUN"))
    }

    /// Control: as many test images as training images, with the very labels, are not refused if they are others.
    @Test func otherImagesAreNotRefused() throws {
        let folder = try WorkFolder()
        try TinyImages.write(to: "images", in: folder, compressed: false)
        var images = TinyImages.images(400)
        images[images.count - 1] ^= 1
        try folder.write(images, to: "images/t10k-images-idx3-ubyte")
        try folder.write(TinyImages.labels(400), to: "images/t10k-labels-idx1-ubyte")
        let trained = try Program.run(Self.training("images", "softmax"), in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
    }

    /// Evaluating on the training file is allowed, and says what it is: in the text and in JSON.
    @Test(arguments: Disguise.allCases)
    func evaluatingOnTheTrainingFileSaysThatItIsNotPrivate(_ disguise: Disguise) throws {
        let folder = try folder()
        #expect(try Program.run(Self.csv, in: folder).status == 0)
        let path = try disguise.make(in: folder)
        let json = try Program.run(["evaluate", "--run", "RUN", "--data", path, "--format", "json"], in: folder)
        #expect(json.status == 0, "\(json.complaints)")
        #expect(try json.json()["isOfTrainingData"] as? Bool == true)
        #expect(try #require(json.json()["warning"] as? String).contains("not private"))
        let text = try Program.run(["evaluate", "--run", "RUN", "--data", path], in: folder)
        #expect(text.output.contains("not private"))
    }

    @Test func evaluatingOnTrainingImagesSaysThatItIsNotPrivate() throws {
        let folder = try WorkFolder()
        try TinyImages.write(to: "images", in: folder, compressed: false)
        #expect(try Program.run(Self.training("images", "softmax"), in: folder).status == 0)
        // A folder whose test set is the other's training set.
        try TinyImages.write(to: "swapped", in: folder, compressed: true)
        for kind in ["images-idx3", "labels-idx1"] {
            let data = try folder.data("images/train-\(kind)-ubyte")
            try folder.write(gzipped(data), to: "swapped/t10k-\(kind)-ubyte.gz")
            let other = try folder.data("images/t10k-\(kind)-ubyte")
            try folder.write(gzipped(other), to: "swapped/train-\(kind)-ubyte.gz")
        }
        for (data, isTraining) in [("swapped", true), ("images", false)] {
            let evaluated = try Program.run(
                ["evaluate", "--run", "RUN", "--data", data, "--format", "json"], in: folder)
            #expect(evaluated.status == 0, "\(evaluated.complaints)")
            #expect(try evaluated.json()["isOfTrainingData"] as? Bool == isTraining)
        }
    }

    /// Controls: other data has no warning; where the training data has gone, nobody can know, and that is said.
    @Test func evaluatingOnOtherDataHasNoWarning() throws {
        let folder = try folder()
        #expect(try Program.run(Self.csv, in: folder).status == 0)
        let arguments = ["evaluate", "--run", "RUN", "--data", "test.csv"]
        let known = try Program.run(arguments + ["--format", "json"], in: folder)
        #expect(try known.json()["isOfTrainingData"] as? Bool == false)
        #expect(try known.json()["warning"] is NSNull)
        #expect(try !Program.run(arguments, in: folder).output.contains("private"))
        try folder.remove("train.csv")
        let unknown = try Program.run(arguments + ["--format", "json"], in: folder)
        #expect(unknown.status == 0, "\(unknown.complaints)")
        #expect(try unknown.json()["isOfTrainingData"] is NSNull)
        #expect(try #require(unknown.json()["warning"] as? String).contains("/train.csv'"))
    }
}
