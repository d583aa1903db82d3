import Foundation
import Testing
import _TestSupport

/// From a text file to predictions. The linear models of these runs take token ids as if they were numbers, which is
/// enough to see that examples arrive.
@Suite struct TextRunTests {
    private static let plan = [
        "--epsilon", "8", "--delta", "1e-5", "--iterations", "6", "--batch", "30", "--clip", "1",
        "--learning-rate", "0.01", "--non-private-seed", "5", "--threads", "1", "--output", "RUN", "--format", "json",
    ]

    private static func line(_ number: Int) -> String {
        number % 3 == 0 ? "spam\tbuy this now" : "ham\tsee you \(number)"
    }

    private func folder() throws -> WorkFolder {
        let folder = try WorkFolder()
        try folder.write((0..<120).map(Self.line).joined(separator: "\r\n") + "\r\n", to: "mails.txt")
        try folder.write((120..<150).map(Self.line).joined(separator: "\n"), to: "test.txt")
        try folder.write("<unk>\nbuy\nthis\nnow\nsee\nyou\n", to: "words.txt")
        return folder
    }

    private func train(_ data: [String], in folder: WorkFolder) throws -> Program.Outcome {
        try Program.run(["train", "--data"] + data + Self.plan, in: folder)
    }

    @Test func labelledLines() throws {
        let folder = try folder()
        let data = [
            "mails.txt", "--vocabulary", "words.txt", "--length", "3", "--labels", "ham,spam", "--test-data",
            "test.txt",
        ]
        let trained = try train(data, in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        let accuracy = try #require(try trained.json()["testAccuracy"] as? Double)
        let model = try folder.object("RUN/model.json")
        let text = try #require(model["text"] as? [String: Any])
        #expect(text["labels"] as? [String] == ["ham", "spam"])
        #expect((text["vocabulary"] as? [String: Any])?["tokens"] as? [String] != nil)
        let notCovered = try #require(try folder.object("RUN/report.json")["notCovered"] as? [String])
        #expect(notCovered.contains { $0.contains("vocabulary of 6 words") })

        // The vocabulary stands in the model: its file may be gone. The configuration's paths are absolute.
        let configured = try #require(try folder.object("RUN/config.json")["data"] as? [String: Any])
        #expect((configured["vocabulary"] as? String)?.hasPrefix("/") == true)
        try folder.remove("words.txt")
        let evaluated = try Program.run(
            ["evaluate", "--run", "RUN", "--data", "test.txt", "--format", "json"], in: folder)
        #expect(evaluated.status == 0, "\(evaluated.complaints)")
        #expect(try evaluated.json()["accuracy"] as? Double == accuracy)
        #expect(try evaluated.json()["isOfTrainingData"] as? Bool == false)
        let own = try Program.run(
            ["evaluate", "--run", "RUN", "--data", "mails.txt", "--format", "json", "--stream"], in: folder)
        #expect(try own.json()["isOfTrainingData"] as? Bool == true)

        let predicted = try Program.run(["predict", "--run", "RUN", "--data", "test.txt"], in: folder)
        #expect(predicted.status == 0, "\(predicted.complaints)")
        let lines = predicted.output.split(separator: "\n")
        #expect(lines.count == 31 && lines[0] == "example,class")
        #expect(lines.dropFirst().allSatisfy { $0.hasSuffix(",ham") || $0.hasSuffix(",spam") })
        let bare = (120..<150).map { Self.line($0).split(separator: "\t")[1] }.joined(separator: "\n")
        try folder.write(bare, to: "bare.txt")
        let without = try Program.run(
            ["predict", "--run", "RUN", "--data", "bare.txt", "--without-label-column", "--stream"], in: folder)
        #expect(without.output == predicted.output)
    }

    /// Windows of bytes, from a configuration, streamed or not: the same model, and a report that says whose promise
    /// it is.
    @Test func windowsFromAConfiguration() throws {
        let folder = try folder()
        var models: [Data] = []
        for streaming in ["", #", "streaming": true"#] {
            let configuration = """
                {"data": {"kind": "text", "path": "mails.txt", "vocabulary": "bytes", "window": 8\(streaming)},
                 "model": "linear", "optimizer": {"name": "sgd", "learningRate": 1e-6},
                 "plan": {"expectedBatchSize": 30, "iterations": 4, "noiseMultiplier": 1, "delta": 1e-5,
                          "clipping": {"method": "threshold", "l2ClipNorm": 1}}, "nonPrivateSeed": 3}
                """
            try folder.write(configuration, to: "c.json")
            let trained = try Program.run(
                ["train", "--config", "c.json", "--output", "RUN", "--format", "json", "--threads", "1"], in: folder)
            #expect(trained.status == 0, "\(trained.complaints)")
            let notCovered = try #require(try folder.object("RUN/report.json")["notCovered"] as? [String])
            #expect(notCovered.contains { $0.contains("windows of 8 tokens") })
            models.append(try folder.data("RUN/model.safetensors"))
            try folder.remove("RUN")
        }
        #expect(models[0] == models[1])
    }

    @Test(arguments: [
        ([], ["--vocabulary is missing", "--length is missing", "--window"]),
        (["--vocabulary", "bytes"], ["--length is missing"]),
        (["--vocabulary", "bytes", "--length", "3", "--window", "4"], ["--length and --window both"]),
        (["--vocabulary", "bytes", "--length", "3", "--tokens", "words"], ["--tokens means nothing"]),
        (["--vocabulary", "none.txt", "--length", "3"], ["--vocabulary: There is no such file", "'none.txt'"]),
        (["--vocabulary", "words.txt", "--length", "0"], ["--length is 0", "at least 1"]),
        (["--vocabulary", "words.txt", "--length", "3", "--tokens", "letters"], ["'letters'", "words, characters"]),
        (["--vocabulary", "words.txt", "--length", "3", "--labels", "ham"], ["list of labels", "two or more"]),
        (["--vocabulary", "words.txt", "--length", "3", "--labels", "ham,eggs"], ["'mails.txt', line 1", "\"spam\""]),
        (["--vocabulary", "words.txt", "--window", "3", "--labels", "ham,spam"], ["windows have no labels"]),
        (["--vocabulary", "words.txt", "--length", "3", "--tokens", "characters"], ["entry 2", "\"buy\""]),
        (["--vocabulary", "bytes", "--length", "3", "--test-data", "mails.txt"], ["trained and tested on"]),
        (["--vocabulary", "bytes", "--length", "3", "--lengths", "words.txt"], ["--lengths is no setting of text"]),
        (["--vocabulary", "bytes", "--length", "3", "--classes", "3"], ["--classes is no setting of text"]),
    ])
    func whatIsWrongIsSaid(_ options: [String], _ says: [String]) throws {
        let folder = try folder()
        let refused = try train(["mails.txt"] + options, in: folder)
        #expect(refused.status != 0 && refused.messages.hasPrefix("Error: "))
        // Lines of a terminal are wrapped.
        let message = refused.messages.replacing("\n", with: " ")
        for part in says { #expect(message.contains(part), "\(message)") }
        #expect(!folder.has("RUN"))
    }
}
