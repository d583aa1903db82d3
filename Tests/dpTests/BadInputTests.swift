import Foundation
import Testing

/// What is wrong is said in one sentence, with value, range and remedy, before anything is written.
@Suite struct BadInputTests {
    /// A wrong command line, and what its message must contain.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let says: [String]
        var testDescription: String { arguments.joined(separator: " ") }

        init(_ arguments: String, _ says: String...) {
            self.arguments = arguments.split(separator: " ").map(String.init)
            self.says = says
        }
    }

    /// Runs `dp` in a folder with nothing but what `prepare` puts there; nothing more may be there afterwards.
    private func expectRefusal(
        _ arguments: [String], _ says: [String], status: Int32 = 1, prepare: (WorkFolder) throws -> Void = { _ in }
    ) throws {
        let folder = try WorkFolder()
        try prepare(folder)
        let before = try folder.contents()
        let outcome = try Program.run(arguments, in: folder)
        #expect(outcome.status == status)
        #expect(outcome.output.isEmpty)
        // A usage error is followed by the usage.
        #expect(status == 64 || outcome.complaints.count == 1, "\(outcome.complaints)")
        let message = String(outcome.complaints.first ?? "")
        #expect(message.hasPrefix("Error: "))
        for part in says { #expect(message.contains(part), "\(message)") }
        // A case of an error or a type of Swift would be a dump and not a sentence.
        #expect(message.wholeMatch(of: /.*(Error\.|\w\(\w+:|Optional\().*/) == nil, "\(message)")
        #expect(try folder.contents() == before)
    }

    @Test(arguments: [
        Wrong("--epsilon=-1", "-1.0", "(0, ∞)"),
        Wrong("--epsilon nan", "nan", "(0, ∞)"),
        Wrong("--epsilon 0", "0.0", "(0, ∞)"),
        Wrong("--epsilon inf", "inf", "(0, ∞)"),
        Wrong("--delta 1", "1.0", "[0, 1)"),
        Wrong("--delta nan", "nan", "[0, 1)"),
        Wrong("--batch 5000", "5000.0", "at most the number of examples, 1437"),
        Wrong("--batch 0", "0.0", "above 0"),
        Wrong("--clip 0", "clip norm is 0", "above 0", "1 is usual"),
        Wrong("--clip=-1", "-1.0", "between 1e-100 and 1e100"),
        Wrong("--clip nan", "nan", "between 1e-100 and 1e100"),
        Wrong("--clip inf", "infinite", "choose a finite clip norm"),
        Wrong("--epochs 3 --iterations 4", "iterations and epochs", "leave one of them out"),
        Wrong("--epochs nan", "nan", "at least 0"),
        Wrong("--iterations=-3", "-3", "at least 0"),
        Wrong("--epsilon 1 --noise-multiplier 0.5", "0.5", "budget of 1.0", "leave the noise multiplier out"),
        Wrong("--noise-multiplier=-1", "-1.0", "0 (no privacy) or positive"),
        Wrong("--model mlp:784-10-10", "784 inputs", "need 64", "change the model"),
        Wrong("--model logistic", "2 outputs", "need 10", "change the model"),
        Wrong("--model linear", "numbers as targets", "use a softmax model"),
        Wrong("--model mlp:64-0-10", "'0'", "at least 1"),
        Wrong("--model forest", "'forest'", "choose linear, logistic, softmax"),
        Wrong("--scale-then-privatize", "sgd has no second moment", "choose one of adam"),
        Wrong("--optimizer adam --scale-epsilon=-1", "-1.0", "above 0"),
        Wrong("--optimizer adam --momentum 0.5", "adam has no momentum", "beta1, beta2, epsilon"),
        Wrong("--momentum 2", "2.0", "below 1"),
        Wrong("--learning-rate=-1", "-1.0", "at least 0"),
        Wrong("--learning-rate nan", "nan", "at least 0"),
        Wrong("--average-tail 2", "2.0", "(0, 1]"),
        Wrong("--checkpoint-interval 0", "0", "at least 1"),
        Wrong("--schema schema.json", "schema", "no effect", "leave it out"),
        Wrong("--test-data test.csv", "testPath", "no effect", "leave it out"),
    ])
    func optionsOutOfRange(_ wrong: Wrong) throws {
        try expectRefusal(["train", "--demo", "--output", "RUN"] + wrong.arguments, wrong.says)
    }

    @Test(arguments: [
        Wrong("train", "clip norm is missing", "--clip"),
        Wrong("train --clip 1 --delta 1e-5", "data is missing", "--data"),
        Wrong("train --config none.json", "'none.json'", "No such file", "Give the path"),
        Wrong("train --resume --output RUN", "/RUN'", "'config.json' is missing", "Give the folder"),
        Wrong("train --data none.csv --model softmax --clip 1 --delta 1e-5", "schema", "--schema"),
        Wrong(
            "train --data none.csv --schema s.json --model softmax --clip 1 --delta 1e-5", "'s.json'", "No such file"),
        Wrong("train --data . --model softmax --clip 1 --delta 1e-5", "train-labels-idx1-ubyte", "put it there"),
        Wrong("train --demo --output /proc/RUN", "'/proc/RUN' could not be written"),
        Wrong("evaluate --run RUN --data x.csv", "/RUN'", "'model.json' is missing"),
        Wrong("predict --run RUN --data x.csv", "/RUN'", "'model.json' is missing"),
        Wrong("plan none.json", "'none.json'", "No such file", "Give the path"),
    ])
    func missingThings(_ wrong: Wrong) throws {
        // The order in which files are looked for is the program's affair: any of the four may be missed first.
        let says = wrong.says.map { $0.replacing("train-labels-idx1-ubyte", with: "-ubyte'") }
        try expectRefusal(wrong.arguments, says)
    }

    @Test(arguments: [
        Wrong("train --resume", "--resume needs --output"),
        Wrong("train --resume --output RUN --epsilon 1 --demo", "leave --demo, --epsilon out"),
        Wrong("train --demo --data x", "leave --data out"),
        Wrong("train --demo --threads 0", "--threads is 0", "at least 1"),
        Wrong("train --demo --optimizer adamm", "'adamm'", "--optimizer"),
        Wrong("epsilon --noise-multiplier x", "'x'"),
        Wrong("calibrate --epsilon 1 --delta 1e-5 --iterations 5", "exactly 2", "leave out"),
    ])
    func wrongUsage(_ wrong: Wrong) throws {
        try expectRefusal(wrong.arguments, wrong.says, status: 64)
    }

    /// Each replaces a part of a configuration that is good, as the last of them shows by what it lacks.
    @Test(arguments: [
        (#""softmax""#, #""softmax", "modell": 1"#, ["no setting 'modell'", "model"]),
        (#""learningRate""#, #""learningrate""#, ["no setting 'learningrate'", "learningRate"]),
        (#""kind": "digits""#, #""kind": "digit""#, ["'digit'", "idx, csv, digits"]),
        (#""name": "adam""#, #""name": "adamm""#, ["'adamm'", "sgd, adam"]),
        (#""name": "adam""#, #""name": "adam", "momentum": 0.9"#, ["adam has no momentum", "beta1, beta2"]),
        (#""name": "adam""#, #""name": "sgd""#, ["sgd has no second moment", "leave scaleThenPrivatize out"]),
        (#""cosine""#, #""cosinus""#, ["'cosinus'", "cosine"]),
        (#""cosine""#, #""cosine", "final": -1"#, ["learningRate.final is -1.0", "at least 0"]),
        (#""cosine""#, #""cosine", "warmupSteps": 3"#, ["no setting 'warmupSteps'", "final, kind, value"]),
        (
            #""cosine""#, #""warmup-cosine", "warmupSteps": 220"#,
            ["learningRate.warmupSteps is 220.0", "below the number of steps, 220"]
        ),
        (#""cosine""#, #""warmup-cosine", "warmupSteps": -1"#, ["learningRate.warmupSteps is -1.0", "at least 0"]),
        (#""cosine""#, #""exponential", "final": 0"#, ["learningRate.final is 0.0", "above 0"]),
        (#""cosine""#, #""exponential""#, ["'final'"]),
        (#""value": 0.02"#, #""value": -0.02"#, ["learningRate.value is -0.02", "at least 0"]),
        (#""tail""#, #""head""#, ["'head'", "none, exponential, tail"]),
        (#""fraction": 0.5"#, #""fraction": 1.5"#, ["1.5", "(0, 1]"]),
        (#""l2ClipNorm": 1"#, #""l2ClipNorm": 0"#, ["clip norm is 0", "above 0"]),
        (#""l2ClipNorm": 1"#, #""l2ClipNorm": 1, "clip": 2"#, ["no setting 'clip'", "l2ClipNorm"]),
        (#""evaluationInterval": 1"#, #""evaluationInterval": 0"#, ["evaluationInterval is 0", "at least 1"]),
        (#""evaluationInterval": 1"#, #""evaluationInterval": "often""#, ["'evaluationInterval'", "whole number"]),
        (#""nonPrivateSeed": 7}"#, #""nonPrivateSeed": 7"#, ["'c.json' cannot be read"]),
    ])
    func wrongConfigurations(_ old: String, _ new: String, _ says: [String]) throws {
        let text = SeededRun().configuration
        try #require(text.contains(old))
        try expectRefusal(["train", "--config", "c.json", "--output", "RUN"], says) {
            try $0.write(text.replacing(old, with: new), to: "c.json")
        }
    }

    /// A header that promises 2³² − 1 images of that many rows and columns, and one that is no header.
    @Test(
        arguments: [
            ([0, 0, 8, 3] + [UInt8](repeating: 255, count: 12) + [1, 2, 3], "promises 4294967295 × 4294967295"),
            ([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1], "gzip stream"),
            ([0x89, 0x50, 0x4e, 0x47], "begins with the bytes"),
            ([0, 0, 8], "begins with the bytes"),
            ([], "begins with the bytes"),
        ] as [([UInt8], String)])
    func hostileImages(_ bytes: [UInt8], _ says: String) throws {
        let arguments = [
            "train", "--data", "images", "--model", "softmax", "--epsilon", "1", "--delta", "1e-5", "--epochs", "1",
            "--batch", "10", "--clip", "1", "--output", "RUN",
        ]
        try expectRefusal(arguments, ["train-images-idx3-ubyte'", says]) {
            try TinyImages.write(to: "images", in: $0, compressed: false)
            try $0.write(Data(bytes), to: "images/train-images-idx3-ubyte")
        }
    }

    @Test func aFolderThatHoldsARunIsLeftAlone() throws {
        let arguments = ["train", "--demo", "--output", "RUN"]
        try expectRefusal(arguments, ["/RUN' holds another run", "choose another --output"]) {
            try $0.write(SeededRun().configuration, to: "RUN/config.json")
        }
        // Checkpoints alone would be gone on from.
        try expectRefusal(arguments, ["/RUN' holds another run"]) {
            try $0.write("{}", to: "RUN/checkpoints/step-000000005/state.json")
        }
        try expectRefusal(arguments, ["/RUN' could not be written"]) { try $0.write("a file", to: "RUN") }
        try expectRefusal(["train", "--resume", "--output", "RUN"], ["'config.json' is missing"]) {
            try $0.write("a file", to: "RUN/notes.txt")
        }
    }

    /// The checks above can fail: the same command line without a mistake is not refused.
    @Test func whatIsRightIsNotRefused() throws {
        let folder = try WorkFolder()
        let outcome = try Program.run(["train", "--demo", "--output", "RUN", "--iterations", "2"], in: folder)
        #expect(outcome.status == 0)
        #expect(outcome.complaints.isEmpty)
        #expect(folder.has("RUN/config.json"))
    }
}
