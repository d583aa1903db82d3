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
    func expectRefusal(
        _ arguments: [String], _ says: [String], status: Int32 = 64, prepare: (WorkFolder) throws -> Void = { _ in }
    ) throws {
        let folder = try WorkFolder()
        try prepare(folder)
        let before = try folder.contents()
        let outcome = try Program.run(arguments, in: folder)
        #expect(outcome.status == status, "\(outcome.messages)")
        #expect(outcome.output.isEmpty)
        // Something wrong with the command line is followed by where to look.
        #expect(status == 64 || outcome.complaints.count == 1, "\(outcome.complaints)")
        let message = outcome.messages
        #expect(message.hasPrefix("Error: "))
        for part in says { #expect(message.contains(part), "\(message)") }
        // A case of an error or a type of Swift would be a dump and not a sentence.
        #expect(message.wholeMatch(of: /(?s).*(Error\.|\w\(\w+:|Optional\().*/) == nil, "\(message)")
        #expect(try folder.contents() == before)
    }

    @Test(arguments: [
        Wrong("--epsilon -1", "--epsilon is -1", "(0, ∞)"),
        Wrong("--epsilon nan", "--epsilon is nan", "(0, ∞)"),
        Wrong("--epsilon 0", "--epsilon is 0", "(0, ∞)"),
        Wrong("--epsilon inf", "--epsilon is inf", "(0, ∞)"),
        Wrong("--delta 1", "--delta is 1", "[0, 1)"),
        Wrong("--delta -1e-5", "--delta is -1e-05", "[0, 1)"),
        Wrong("--delta 1/0", "--delta is '1/0'", "256/60000"),
        Wrong("--delta nan", "--delta is nan", "[0, 1)"),
        Wrong("--batch 5000", "--batch is 5000", "at most the number of examples, 1437"),
        Wrong("--batch 0", "--batch is 0", "(0, ∞)"),
        Wrong("--clip 0", "--clip is 0", "1e-100", "1 is usual"),
        Wrong("--clip -1", "--clip is -1", "between 1e-100 and 1e100"),
        Wrong("--clip nan", "--clip is nan", "between 1e-100 and 1e100"),
        Wrong("--clip inf", "infinite", "choose a finite clip norm"),
        Wrong("--epochs 3 --iterations 4", "--epochs and --iterations", "leave one out"),
        Wrong("--epochs nan", "--epochs is nan", "at least 0"),
        Wrong("--iterations -3", "--iterations is -3", "at least 0"),
        Wrong("--epsilon 1 --noise-multiplier 0.5", "0.5", "budget of 1.0", "leave the noise multiplier out"),
        Wrong("--noise-multiplier -1", "--noise-multiplier is -1", "at least 0"),
        Wrong("--model mlp:784-10-10", "--model is 'mlp:784-10-10'", "64 inputs", "mlp:64-784-10-10."),
        Wrong("--model logistic", "--model is 'logistic'", "2 classes", "has 10", "softmax"),
        Wrong("--model linear", "numbers as targets", "softmax"),
        Wrong("--model mlp:64-0-10", "'0'", "at least 1"),
        Wrong("--model forest", "'forest'", "choose linear, logistic, softmax"),
        Wrong(
            "--optimizer sgd --scale-then-privatize", "--scale-then-privatize", "sgd has no second moment",
            "choose one of adam"),
        Wrong("--optimizer adam --scale-epsilon -1", "--scale-epsilon is -1", "(0, ∞)"),
        Wrong("--optimizer adam --momentum 0.5", "--momentum is no setting of adam", "beta1, beta2, epsilon"),
        Wrong("--momentum 2", "--momentum is 2", "[0, 1)"),
        Wrong("--learning-rate -1", "--learning-rate is -1", "at least 0"),
        Wrong("--learning-rate nan", "--learning-rate is nan", "at least 0"),
        Wrong("--average-tail 2", "--average-tail is 2", "(0, 1]"),
        Wrong("--checkpoint-interval 0", "--checkpoint-interval is 0", "at least 1"),
        Wrong("--schema schema.json", "--schema is no setting of digits"),
        Wrong("--test-data test.csv", "--test-data is no setting of digits"),
        Wrong("--classes 10", "--classes is no setting of digits"),
        Wrong("--labels y.npy --test-labels z.npy", "--labels is no setting", "--test-labels is no setting"),
    ])
    func optionsOutOfRange(_ wrong: Wrong) throws {
        try expectRefusal(["train", "--demo", "--output", "RUN"] + wrong.arguments, wrong.says)
    }

    @Test(arguments: [
        Wrong("train --config none.json", "'none.json'", "No such file", "Give the path"),
        Wrong("train --resume --output RUN", "/RUN'", "'config.json' is missing", "Give the folder"),
        Wrong("train --data . --epsilon 1 --delta 1e-5", "train-labels-idx1-ubyte", "put it there"),
        Wrong("train --demo --output /proc/RUN", "'/proc/RUN' could not be written"),
        Wrong("evaluate --run RUN --data x.csv", "/RUN'", "'model.json' is missing"),
        Wrong("predict --run RUN --data x.csv", "/RUN'", "'model.json' is missing"),
        Wrong("plan none.json", "'none.json'", "No such file", "Give the path"),
    ])
    func missingThings(_ wrong: Wrong) throws {
        // The order in which files are looked for is the program's affair: any of the four may be missed first.
        let says = wrong.says.map { $0.replacing("train-labels-idx1-ubyte", with: "-ubyte'") }
        try expectRefusal(wrong.arguments, says, status: 1)
    }

    /// Beside a file that is there.
    @Test(
        arguments: [
            (64, Wrong("", "--schema is missing", "help formats")),
            (64, Wrong("--schema s.json", "--schema: There is no such file or folder: 's.json'")),
            (64, Wrong("--schema s.json --test-data t.csv", "--test-data: There is no", "--schema: There is no")),
            (64, Wrong("--classes 3", "--classes is no setting of csv")),
            (64, Wrong("--labels y.npy", "--labels is no setting of csv")),
        ] as [(Int32, Wrong)])
    func missingThingsBesideAFile(_ status: Int32, _ wrong: Wrong) throws {
        let arguments = ["train", "--data", "data.csv", "--epsilon", "1", "--delta", "1e-5"]
        try expectRefusal(arguments + wrong.arguments, wrong.says, status: status) {
            try $0.write("x,y\n", to: "data.csv")
        }
        guard !wrong.arguments.contains("--schema") else { return }
        try expectRefusal(arguments.map { $0 == "data.csv" ? "data.npy" : $0 }, ["'data.npy'"], status: 1) {
            try $0.write("x,y\n", to: "data.npy")
        }
    }

    @Test(arguments: [
        Wrong("train --data nofolder", "--data: There is no such file or folder: 'nofolder'", "--epsilon is missing"),
        Wrong("train --data none.npz --epsilon 1", "no such file or folder: 'none.npz'", "--delta is missing"),
        Wrong("train --resume --output RUN --labels y --classes 3", "leave --labels, --classes out"),
        Wrong("train --optimizer adamm --epsilon", "--optimizer is 'adamm'", "--epsilon is ''", "--delta is missing"),
        Wrong("train --demo --epsilon 1 --epsilon=8", "--epsilon is given 2 times"),
        Wrong("epsilon --iterations 3 --iterations 3", "--iterations is given 2 times"),
        Wrong("train --demo --config c.json", "leave --config out"),
        Wrong("train --data no --test-data no2 --schema no3", "'no'", "--test-data: There", "--schema: There"),
        Wrong("train --resume", "--resume needs --output"),
        Wrong("train --resume --output RUN --epsilon 1 --demo", "leave --demo, --epsilon out"),
        Wrong("train --demo --data x", "leave --data out"),
        Wrong("train --demo --threads 0", "--threads is 0", "at least 1"),
        Wrong("train", "--data is missing", "--epsilon is missing", "--delta is missing", "3 things are wrong"),
        Wrong("train --demo --optimizer adamm", "--optimizer is 'adamm'", "Did you mean 'adam'"),
        Wrong("train --demo --epsilo 2", "no option --epsilo", "did you mean --epsilon"),
        Wrong("train --demo --batch x --iterations 1.5", "--batch is 'x'", "--iterations is '1.5'", "a whole number"),
        Wrong("epsilon --noise-multiplier x", "4 things", "'x'", "--delta is missing", "--iterations is missing"),
        Wrong("calibrate --epsilon 1 --delta 1e-5 --iterations 5", "exactly 2", "leave out"),
        Wrong("plan p.json --format yaml", "--format is 'yaml'", "table, json"),
    ])
    func wrongUsage(_ wrong: Wrong) throws {
        try expectRefusal(wrong.arguments, wrong.says)
    }

    /// Each replaces a part of a configuration that is good, as the last of them shows by what it lacks.
    @Test(arguments: [
        (#""softmax""#, #""softmax", "modell": 1"#, ["'modell' in 'c.json'", "did you mean 'model'"]),
        (#""learningRate""#, #""learningrate""#, ["'optimizer.learningrate' in", "did you mean 'learningRate'"]),
        (#""kind": "digits""#, #""kind": "digit""#, ["'data.kind' in", "'digit'", "Did you mean 'digits'"]),
        (#""name": "adam""#, #""name": "adamm""#, ["'optimizer.name' in", "'adamm'", "sgd, adam"]),
        (
            #""name": "adam""#, #""name": "adam", "momentum": 0.9"#,
            ["'optimizer.momentum' in", "no setting of adam", "beta1, beta2"]
        ),
        (#""name": "adam""#, #""name": "sgd""#, ["sgd has no second moment", "leave scaleThenPrivatize out"]),
        (#""cosine""#, #""cosinus""#, ["'cosinus'", "cosine"]),
        (#""cosine""#, #""cosine", "final": -1"#, ["'optimizer.learningRate.final' in 'c.json' is -1", "at least 0"]),
        (
            #""cosine""#, #""cosine", "warmupSteps": 3"#,
            ["learningRate.warmupSteps' in", "no setting of cosine", "final, kind, value"]
        ),
        (
            #""cosine""#, #""warmup-cosine", "warmupSteps": 220"#,
            ["learningRate.warmupSteps' in 'c.json' is 220", "below the number of steps, 220"]
        ),
        (
            #""cosine""#, #""warmup-cosine", "warmupSteps": -1"#,
            ["learningRate.warmupSteps' in 'c.json' is -1", "at least 0"]
        ),
        (#""cosine""#, #""exponential", "final": 0"#, ["learningRate.final' in 'c.json' is 0", "in (0, ∞)"]),
        (#""cosine""#, #""exponential""#, ["learningRate.final' in 'c.json' is missing"]),
        (#""value": 0.02"#, #""value": -0.02"#, ["learningRate.value' in 'c.json' is -0.02", "at least 0"]),
        (#""tail""#, #""head""#, ["'head'", "none, exponential, tail"]),
        (#""fraction": 0.5"#, #""fraction": 1.5"#, ["'averaging.fraction' in", "1.5", "(0, 1]"]),
        (#""l2ClipNorm": 1"#, #""l2ClipNorm": 0"#, ["'plan.clipping.l2ClipNorm' in", "is 0", "1 is usual"]),
        (
            #""l2ClipNorm": 1"#, #""l2ClipNorm": 1, "clip": 2"#,
            ["'plan.clipping.clip' in", "no setting of threshold", "l2ClipNorm"]
        ),
        (#""evaluationInterval": 1"#, #""evaluationInterval": 0"#, ["'evaluationInterval' in", "is 0", "at least 1"]),
        (#""evaluationInterval": 1"#, #""evaluationInterval": "often""#, ["'evaluationInterval'", "whole number"]),
    ])
    func wrongConfigurations(_ old: String, _ new: String, _ says: [String]) throws {
        let text = SeededRun().configuration
        try #require(text.contains(old))
        try expectRefusal(["train", "--config", "c.json", "--output", "RUN"], says) {
            try $0.write(text.replacing(old, with: new), to: "c.json")
        }
    }

    /// Everything that is wrong with a file is said at once, each with its path.
    @Test func allMistakesOfAFileAtOnce() throws {
        let mistakes = [
            #""softmax""#: "7", #""learningRate""#: #""learningrate""#, #""delta": 1e-5"#: #""delta": 2"#,
            #""fraction": 0.5"#: #""fraction": 0"#, #""rdp""#: #""rpd""#,
        ]
        let text = mistakes.reduce(SeededRun().configuration) { $0.replacing($1.key, with: $1.value) }
        let says = [
            "5 things are wrong", "'model' in 'c.json' is 7, but must be a text",
            "'optimizer.learningrate' in 'c.json'",
            "'plan.delta' in 'c.json' is 2", "'averaging.fraction' in 'c.json' is 0", "Did you mean 'rdp'?",
        ]
        try expectRefusal(["train", "--config", "c.json", "--output", "RUN"], says) {
            try $0.write(text, to: "c.json")
        }
        // What an option says is called by the option's name, and the rest by its place.
        try expectRefusal(
            ["train", "--config", "c.json", "--delta", "3"], ["--delta is 3, but", "'averaging.fraction' in 'c.json'"]
        ) {
            try $0.write(text, to: "c.json")
        }
    }

    /// What is wrong in a file is wrong, whatever an option says in its place; and a key has one value.
    @Test func optionsDoNotHideMistakesOfAFile() throws {
        let options = ["--learning-rate", "0.1", "--average-tail", "0.5", "--clip", "1", "--epsilon", "1"]
        let wrong =
            #"{"data": {"kind": "digits"}, "optimizer": "adam", "averaging": 1, "plan": {"clipping": [], "delta": 2}}"#
        let says = [
            "4 things are wrong", "'optimizer' in 'c.json' is 'adam', but must be an object",
            "'averaging' in 'c.json' is 1", "'plan.clipping' in 'c.json' is a list", "'plan.delta' in 'c.json' is 2",
        ]
        try expectRefusal(["train", "--config", "c.json", "--delta", "1e-5"] + options, says) {
            try $0.write(wrong, to: "c.json")
        }
        try expectRefusal(
            ["train", "--config", "c.json", "--demo"].dropLast() + ["--delta", "1e-5"] + options,
            ["'c.json' is a list, but must be an object"]
        ) { try $0.write(#"[{"plan": {"epsilon": 0.1}}]"#, to: "c.json") }
        for (text, key) in [
            (#"{"data": {"kind": "digits"}, "plan": {"epsilon": 1, "delta": 1e-5, "epsilon": 8}}"#, "epsilon"),
            (#"{"data": {"kind": "digits", "k\u0069nd": "csv"}, "plan": {}}"#, "kind"),
        ] {
            try expectRefusal(["train", "--config", "c.json"], ["'\(key)' occurs twice"], status: 1) {
                try $0.write(text, to: "c.json")
            }
        }
    }

    @Test func whatIsNoJSONIsRefusedWithItsPlace() throws {
        let text = SeededRun().configuration.replacing(#""nonPrivateSeed": 7}"#, with: #""nonPrivateSeed": 7"#)
        try expectRefusal(["train", "--config", "c.json"], ["'c.json' cannot be read", "not JSON"], status: 1) {
            try $0.write(text, to: "c.json")
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
        try expectRefusal(arguments, ["train-images-idx3-ubyte'", says], status: 1) {
            try TinyImages.write(to: "images", in: $0, compressed: false)
            try $0.write(Data(bytes), to: "images/train-images-idx3-ubyte")
        }
    }

    @Test func aFolderThatHoldsARunIsLeftAlone() throws {
        let arguments = ["train", "--demo", "--output", "RUN"]
        try expectRefusal(arguments, ["/RUN' holds another run", "choose another --output"], status: 1) {
            try $0.write(SeededRun().configuration, to: "RUN/config.json")
        }
        // Checkpoints alone would be gone on from.
        try expectRefusal(arguments, ["/RUN' holds another run"], status: 1) {
            try $0.write("{}", to: "RUN/checkpoints/step-000000005/state.json")
        }
        try expectRefusal(arguments, ["/RUN' could not be written", "/RUN' is a file, and no folder"], status: 1) {
            try $0.write("a file", to: "RUN")
        }
        try expectRefusal(["train", "--resume", "--output", "RUN"], ["'config.json' is missing"], status: 1) {
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
