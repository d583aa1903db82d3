import ArgumentParser
import CommandLineSupport
import GradientTransformations
import PrivateTraining

/// Where the examples come from.
struct DataOptions: ParsableArguments {
    @Option(
        help: "A folder with idx files, a CSV or a text file (plain or .gz), a .npy or a .npz file.",
        completion: .file())
    var data: String?

    @Option(
        help: "A CSV, text or NumPy file to test on. It is not covered by the promise. (default: none)",
        completion: .file())
    var testData: String?

    @Option(
        help: """
            A .npy file with the labels of a .npy file; of a text, the labels that its lines can begin with, such as \
            ham,spam. They are public, and never taken from the data.
            """,
        completion: .file(extensions: ["npy"]))
    var labels: String?

    @Option(help: "A .npy file with the labels of the test set.", completion: .file(extensions: ["npy"]))
    var testLabels: String?

    @Option(
        help: "A .npy file with the lengths of the sequences in a .npy file.", completion: .file(extensions: ["npy"]))
    var lengths: String?

    @Option(
        help: "A .npy file with the lengths of the test set's sequences.", completion: .file(extensions: ["npy"]))
    var testLengths: String?

    @Option(
        help: """
            What the numbers of NumPy files are, features or tokens. (default: features, unless they are whole and \
            have lengths)
            """)
    var inputs: Given<NumPyFile.Inputs>?

    @Option(
        help: """
            The vocabulary of a text: bytes, or a file with a token a line. It must be public, and not made of the \
            text.
            """,
        completion: .file())
    var vocabulary: String?

    @Option(help: "What the vocabulary's file lists, words or characters. (default: words)")
    var tokens: Given<DataConfiguration.Tokens>?

    @Option(parsing: .unconditional, help: "How many tokens are kept of each line of a text.")
    var length: Given<Int>?

    @Option(
        parsing: .unconditional,
        help: "Cut a text into windows of so many tokens, and promise privacy to each of them, instead of to lines.")
    var window: Given<Int>?

    @Flag(help: "Read examples from disk when they are needed, and not all of them into memory.")
    var stream = false

    @Option(
        help: """
            What each of several ranks holds of the training data: rows of files that all can read, or the files that \
            are its own. (default: all use all of them)
            """)
    var shards: Given<DataConfiguration.Shards>?

    @Option(
        parsing: .unconditional,
        help: """
            The number of classes of idx files (default: 10) or of whole-numbered labels in NumPy files. It is public, \
            and never taken from the data.
            """)
    var classes: Given<Int>?

    @Option(
        help: "A JSON file that says what the columns of the CSV file mean; see 'dp help formats'.",
        completion: .file(extensions: ["json"]))
    var schema: String?

    @Option(
        help: """
            Who owns which example: a column of the CSV file, or a file with a line for each, or a .npy file with a \
            whole number. The promise is then to each user, with all of their examples. (default: to each example)
            """,
        completion: .file())
    var owners: String?

    @Flag(help: "Let bounds and categories that the schema leaves open be taken from the data, without privacy.")
    var openRangesFromDataWithoutPrivacy = false

    @Flag(help: "Train on the digits that ship with this program, at ε = 4 and δ = 1e-5.")
    var demo = false
}

/// What is promised, and what it takes.
struct PrivacyOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "The budget ε, above 0: the noise is calibrated to it.")
    var epsilon: Given<Double>?

    @Option(parsing: .unconditional, help: "δ, in [0, 1), far below one over the number of examples (or users).")
    var delta: Given<Double>?

    @Option(parsing: .unconditional, help: "The noise multiplier, instead of a budget.")
    var noiseMultiplier: Given<Double>?

    @OptionGroup var noise: NoiseOptions

    @Option(parsing: .unconditional, help: "The clip norm C of each example's gradient, above 0. (default: 1)")
    var clip: Given<Double>?

    @Option(
        parsing: .unconditional,
        help: """
            The expected number of examples in a batch, or of users with --owners. (default: a quarter of them, at \
            most 16,384)
            """)
    var batch: Given<Double>?

    @Option(
        parsing: .unconditional,
        help: "With --owners: the most examples of a user that one step takes the mean of, at least 1. (default: 1)")
    var examplesPerUser: Given<Int>?

    @Option(parsing: .unconditional, help: "The number of steps. (default: 150)")
    var iterations: Given<Int>?

    @Option(parsing: .unconditional, help: "How often the data is gone through on average, instead of steps.")
    var epochs: Given<Double>?
}

/// What is trained, and how.
struct ModelOptions: ParsableArguments {
    @Option(
        help: """
            linear, logistic, softmax, mlp:256-64 (hidden widths), mlp:256:tanh, cnn:mnist, gru:64, lstm:64, \
            transformer:layers=2,width=64,heads=4; or a JSON file with the layers, as 'dp help formats' says. \
            (default: what the targets ask for; of images, on scattering features)
            """)
    var model: String?

    @Option(
        name: .customLong("init"),
        help: "A safetensors file to begin from, with this package's names or PyTorch's. It must be public.",
        completion: .file(extensions: ["safetensors"]))
    var initial: String?

    @Option(
        help: "A JSON file that says which tensors of --init the model's parameters are; see 'dp help formats'.",
        completion: .file(extensions: ["json"]))
    var mapping: String?

    @Option(help: "Keep a layer or a leaf as it began: conv1, dense2/kernel. Several times for several.")
    var freeze: [String] = []

    @Option(parsing: .unconditional, help: "The optimizer. (default: sgd with momentum 0.9)")
    var optimizer: Given<OptimizerConfiguration.Name>?

    @Option(parsing: .unconditional, help: "The learning rate, at least 0. (default: what the noise allows)")
    var learningRate: Given<Double>?

    @Option(parsing: .unconditional, help: "Momentum of sgd and rmsprop, in [0, 1).")
    var momentum: Given<Double>?

    @Flag(help: "Clip under the optimizer's own preconditioner (arXiv 2507.01129).")
    var scaleThenPrivatize = false

    @Option(parsing: .unconditional, help: "ε of the scale 1/(√v + ε), above 0. (default: 1e-3)")
    var scaleEpsilon: Given<Double>?

    @Option(
        parsing: .unconditional,
        help: "Average the parameters of this share of the steps, the last ones, in (0, 1]. (default: 0.5)")
    var averageTail: Given<Double>?
}

/// What is kept of a run.
struct RunOptions: ParsableArguments {
    @Option(
        help: "The folder to write model, report, metrics and checkpoints to. (default: nothing is kept)",
        completion: .directory)
    var output: String?

    @Flag(help: "Go on with the interrupted run in --output.")
    var resume = false

    @Option(parsing: .unconditional, help: "Write a checkpoint after every so many steps. (default: some 20 in all)")
    var checkpointInterval: Given<Int>?

    @Option(parsing: .unconditional, help: "Replay noise and sampling from a seed. NOT PRIVATE: for tests.")
    var nonPrivateSeed: Given<UInt64>?

    @Option(parsing: .unconditional, help: "How many threads to use. (default: all that there are)")
    var threads: Given<Int>?

    @Option(parsing: .unconditional, help: "A table for people, or one JSON object as the last line. (default: table)")
    var format: Given<OutputFormat>?
}

extension OptimizerConfiguration.Name: OptionValue {
    init?(written: String) { self.init(rawValue: written) }

    static var expectation: String { "one of \(choices.joined(separator: ", "))" }
    static var choices: [String] { allCases.map(\.rawValue) }
    var json: JSONValue { .text(rawValue) }
}

extension OutputFormat: OptionValue {}

extension NumPyFile.Inputs: OptionValue {}

extension DataConfiguration.Tokens: OptionValue {}

extension DataConfiguration.Shards: OptionValue {}
