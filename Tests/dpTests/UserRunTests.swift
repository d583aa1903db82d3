import Foundation
import Testing
import _TestSupport

/// Runs whose promise is to each user: `dp train --owners`.
@Suite struct UserRunTests {
    private static let options = [
        "--model", "logistic", "--learning-rate", "1", "--noise-multiplier", "1", "--delta", "1e-5", "--iterations",
        "20", "--batch", "40", "--examples-per-user", "3", "--non-private-seed", "3", "--threads", "1",
    ]
    /// The Rényi accountant is the quickest to tell what the steps so far cost.
    private static let quick = #"{"plan": {"accountant": "rdp"}}"#
    private static let training =
        ["train", "--config", "quick.json", "--data", "train.csv", "--schema", "schema.json"] + options

    /// The training with another value of an option, or without it.
    private static func replacing(_ option: String, with value: String?) -> [String] {
        var arguments = training
        let place = arguments.firstIndex(of: option)!
        arguments.replaceSubrange(place...place + 1, with: value.map { [option, $0] } ?? [])
        return arguments
    }

    /// 600 clients' records of 130 people.
    private static func owner(_ number: Int) -> String { "person \((number * 53) % 130)" }

    private static func records(_ range: Range<Int>, owners: (Int) -> String = owner) -> String {
        let rows = zip(range, ClientsCSV.rows(range)).map { "\(owners($0)),\($1)" }
        return (["who," + ClientsCSV.header] + rows).joined(separator: "\n") + "\n"
    }

    private static func folder() throws -> WorkFolder {
        let folder = try WorkFolder()
        try folder.write(records(0..<600), to: "train.csv")
        try folder.write(records(600..<800), to: "test.csv")
        try folder.write(ClientsCSV.text(600..<800), to: "plain.csv")
        try folder.write(ClientsCSV.schema(), to: "schema.json")
        try folder.write(quick, to: "quick.json")
        return folder
    }

    private static func train(_ folder: WorkFolder, _ more: [String], output: String = "RUN") throws -> Program.Outcome
    {
        let outcome = try Program.run(training + more + ["--output", output], in: folder)
        #expect(outcome.status == 0, "\(outcome.complaints)")
        return outcome
    }

    /// Users have the sampling that correlated noise needs: their examples are in the same step of every epoch.
    @Test func correlatedNoiseHasItsOwnSampling() throws {
        let folder = try Self.folder()
        let trained = try Self.train(folder, ["--owners", "who", "--strategy", "blt:1"])
        #expect(trained.output.contains("balls-in-bins, epochs of 3 steps"), "\(trained.output)")
        let report = try folder.object("RUN/report.json")
        #expect((report["users"] as? [String: Any])?["sampling"] as? String == "balls-in-bins")
        #expect(report["unit"] as? String == "user" && report["expectedBatchSize"] as? Double == 130.0 / 3)
        #expect((report["strategy"] as? [String: Any])?["participations"] as? Double == 7)
    }

    /// The column, a text file, and a file of numbers that name the same people make the same run.
    @Test func ownersAreAColumnOrAFile() throws {
        let folder = try Self.folder()
        let trained = try Self.train(folder, ["--owners", "who", "--test-data", "test.csv"])
        #expect(
            trained.output.contains("of 130 users") && trained.output.contains("40 users, up to 3 examples of each"))
        let report = try folder.object("RUN/report.json")
        #expect(report["unit"] as? String == "user" && report["unitCount"] as? Double == 130)
        let users = try #require(report["users"] as? [String: Any])
        #expect(users["sampling"] as? String == "poisson" && users["examplesPerUser"] as? Double == 3)
        #expect(report["expectedBatchSize"] as? Double == 40)

        try folder.write(ClientsCSV.text(0..<600), to: "train.csv")
        try folder.write((0..<600).map { Self.owner($0) }.joined(separator: "\r\n") + "\r\n", to: "owners.txt")
        let numbers = (0..<600).map { Int64(($0 * 53) % 130) - 7 }
        try folder.write(Data(npy("<i8", [600], numbers)), to: "owners.npy")
        for (file, run) in [("owners.txt", "TEXT"), ("owners.npy", "NUMBERS")] {
            _ = try Self.train(folder, ["--owners", file], output: run)
            #expect(try folder.data("\(run)/model.safetensors") == folder.data("RUN/model.safetensors"))
            let owners = try ["RUN", run].map { try folder.object("\($0)/secret/sampling.json")["owners"] as? [Double] }
            #expect(owners[0] == owners[1] && owners[0]?.count == 600)
        }
        // Control: other owners make another run; so does one example of each.
        try folder.write((0..<600).map { "\($0 / 5)" }.joined(separator: "\n"), to: "owners.txt")
        _ = try Self.train(folder, ["--owners", "owners.txt"], output: "OTHER")
        #expect(try folder.data("OTHER/model.safetensors") != folder.data("RUN/model.safetensors"))
    }

    /// The column is no input, of whatever kind the schema says it is, and files to evaluate may have it or not.
    @Test func theColumnIsNoFeature() throws {
        let folder = try Self.folder()
        _ = try Self.train(folder, ["--owners", "who", "--test-data", "plain.csv"])
        let schema = ClientsCSV.schema().replacing(
            "{\"columns\": [", with: "{\"columns\": [{\"name\": \"who\", \"kind\": \"categorical\"},")
        try folder.write(schema, to: "schema.json")
        _ = try Self.train(folder, ["--owners", "who", "--test-data", "test.csv"], output: "LISTED")
        #expect(try folder.data("LISTED/model.safetensors") == folder.data("RUN/model.safetensors"))
        #expect(try folder.text("LISTED/model.json") == folder.text("RUN/model.json"))
        let results = try ["test.csv", "plain.csv"].map { data in
            let evaluated = try Program.run(
                ["evaluate", "--run", "RUN", "--data", data, "--format", "json"], in: folder)
            #expect(evaluated.status == 0, "\(evaluated.complaints)")
            let predicted = try Program.run(["predict", "--run", "RUN", "--data", data], in: folder)
            #expect(predicted.status == 0, "\(predicted.complaints)")
            return (try evaluated.json()["accuracy"] as? Double, predicted.output)
        }
        #expect(results[0] == results[1] && results[0].0 != nil)
        // Evaluation on the training data is still found out.
        let own = try Program.run(
            ["evaluate", "--run", "RUN", "--data", "train.csv", "--format", "json"], in: folder)
        #expect(try own.json()["isOfTrainingData"] as? Bool == true)
    }

    /// A run goes on from its secret file, and its configuration makes the same plan with owners again.
    @Test func aRunGoesOnAndCanBeRepeated() throws {
        let (whole, run) = (try Self.folder(), try Self.folder())
        let long = Self.replacing("--iterations", with: "200") + ["--owners", "who", "--checkpoint-interval", "5"]
        #expect(try Program.run(long + ["--output", "RUN"], in: whole).status == 0)
        let program = try RunningProgram(long + ["--output", "RUN"], in: run)
        try program.wait(forStep: 13)
        program.send(SIGINT)
        #expect(try program.finish().status == 0)
        let resumed = try Program.run(["train", "--resume", "--output", "RUN", "--threads", "1"], in: run)
        #expect(resumed.status == 0, "\(resumed.complaints)")
        #expect(try run.data("RUN/model.safetensors") == whole.data("RUN/model.safetensors"))

        let again = try Program.run(
            ["train", "--config", "RUN/config.json", "--threads", "1", "--output", "AGAIN"], in: whole)
        #expect(again.status == 0, "\(again.complaints)")
        #expect(try whole.data("AGAIN/model.safetensors") == whole.data("RUN/model.safetensors"))
        #expect(try whole.text("AGAIN/report.txt") == whole.text("RUN/report.txt"))
    }

    /// No file that is made to be shown names a person, nor says who owns what.
    @Test func noFileThatIsShownNamesAnOwner() throws {
        let folder = try Self.folder()
        let trained = try Self.train(folder, ["--owners", "who", "--test-data", "test.csv"])
        for (path, data) in try folder.contents(of: "RUN") {
            let text = String(decoding: data, as: UTF8.self)
            #expect(!text.contains("person "), "\(path)")
            let isSecret = path.hasPrefix("secret") || path.hasPrefix("checkpoints")
            #expect(isSecret || !text.filter { !$0.isWhitespace }.contains("\"owners\":["), "\(path)")
        }
        #expect(!(trained.output + trained.messages).contains("person "))
        // Control: the secret file has them.
        #expect(try folder.text("RUN/secret/sampling.json").contains("\"owners\":["))
    }

    @Test func idxAndNumPyDataHaveOwnersBesideThem() throws {
        let folder = try WorkFolder()
        try TinyImages.write(to: "images", in: folder, compressed: false)
        try folder.write((0..<400).map { "\($0 % 90)" }.joined(separator: "\n"), to: "owners.txt")
        let options = [
            "--model", "softmax", "--noise-multiplier", "1", "--delta", "1e-5", "--iterations", "3", "--threads", "1",
            "--owners", "owners.txt", "--output", "RUN",
        ]
        let trained = try Program.run(["train", "--data", "images"] + options, in: folder)
        #expect(trained.status == 0, "\(trained.complaints)")
        // A quarter of the users.
        #expect(try folder.object("RUN/report.json")["expectedBatchSize"] as? Double == 23)
        #expect(try (folder.object("RUN/config.json")["users"] as? [String: Any])?["owners"] as? String != "owners.txt")
        let evaluated = try Program.run(["evaluate", "--run", "RUN", "--data", "images"], in: folder)
        #expect(evaluated.status == 0, "\(evaluated.complaints)")
    }

    /// What is wrong is said with the value, what is allowed, and the remedy; nothing is written.
    @Test func badOwnersAreRefused() throws {
        let folder = try Self.folder()
        try folder.write("a\nb\n", to: "short.txt")
        try folder.write((0..<600).map { $0 == 17 ? " " : "\($0)" }.joined(separator: "\n"), to: "gap.txt")
        try folder.write(Data(npy("<f8", [600], (0..<600).map(Double.init))), to: "float.npy")
        try folder.write(Data(npy("<i8", [300, 2], (0..<600).map(Int64.init))), to: "wide.npy")
        try folder.write(Self.records(0..<600) { $0 == 3 ? "" : "\($0)" }, to: "nameless.csv")
        try folder.write(ClientsCSV.text(0..<600), to: "bare.csv")
        try folder.write(#"{"plan": {"unit": "example"}}"#, to: "example.json")
        let wrong: [([String], [String])] = [
            (["--owners", "whom"], ["'whom' is to say who owns which example", "no such column", "a line"]),
            (
                ["--data", "bare.csv", "--owners", "short.txt"],
                ["'short.txt' names 2 owners, but there are 600 examples"]
            ),
            (
                ["--data", "bare.csv", "--owners", "gap.txt"],
                ["'gap.txt', line 18: the owner is missing", "Name whose"]
            ),
            (["--data", "bare.csv", "--owners", "float.npy"], ["'<f8'", "owners must be whole numbers", "int64"]),
            (["--data", "bare.csv", "--owners", "wide.npy"], ["[300, 2]", "one whole number for each example"]),
            (["--owners", "who", "--data", "nameless.csv"], ["'nameless.csv', line 5: the owner is missing"]),
            (["--owners", "answer"], ["'answer'", "what a model learns to say"]),
            (["--owners", "who", "--examples-per-user", "0"], ["--examples-per-user is 0", "at least 1"]),
            (["--owners", "who", "--batch", "131"], ["--batch is 131", "at most the number of users, 130"]),
            (["--owners", "who", "--config", "example.json"], ["'plan.unit'", "--owners", "leave one of them out"]),
            ([], ["(or --owners) is missing"]),
        ]
        for (options, says) in wrong {
            var arguments = Self.training
            for option in ["--config", "--data", "--batch", "--examples-per-user"] where options.contains(option) {
                let place = arguments.firstIndex(of: option)!
                arguments.removeSubrange(place...place + 1)
            }
            let refused = try Program.run(arguments + options + ["--output", "RUN"], in: folder)
            let complaint = refused.messages
            #expect(refused.status != 0 && says.allSatisfy(complaint.contains), "\(options): \(complaint)")
            #expect(!folder.has("RUN"))
        }
        let digits = try Program.run(["train", "--demo", "--owners", "gap.txt", "--output", "RUN"], in: folder)
        #expect(digits.status != 0 && digits.messages.contains("have no owners"), "\(digits.messages)")
        let twice =
            #"{"plan": {"sampling": {"kind": "user", "owners": [0], "userCount": 1, "samplingProbability": 1}}}"#
        try folder.write(twice, to: "twice.json")
        let both = try Program.run(
            [
                "train", "--data", "train.csv", "--schema", "schema.json", "--config", "twice.json", "--owners", "who",
                "--noise-multiplier", "1", "--delta", "1e-5",
            ], in: folder)
        #expect(both.status != 0 && both.messages.contains("both say how batches are drawn"), "\(both.messages)")
    }
}
