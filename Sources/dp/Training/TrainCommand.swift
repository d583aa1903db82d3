import ArgumentParser
import CommandLineSupport
import Foundation
import GradientTransformations
import LinearAlgebra
import PrivateTraining

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a model privately.",
        discussion: """
            For example, on a folder with MNIST's four files:

              dp train --data mnist --model mlp:784-1000-10 --optimizer adam --scale-then-privatize \
            --epsilon 2 --delta 1e-5 --epochs 20 --batch 600 --clip 1 --output RUN

            Or at once, on the digits that ship with this program: dp train --demo

            Everything can also stand in a JSON file (--config); options given beside it win. Ctrl-C ends the run \
            with a checkpoint and the ε spent so far; --resume goes on from there.
            """)

    @Option(help: "A JSON file with the whole configuration.", completion: .file(extensions: ["json"]))
    var config: String?

    @Option(help: "A folder with idx files, a CSV file (plain or .gz), a .npy or a .npz file.", completion: .file())
    var data: String?

    @Option(help: "A CSV or NumPy file to test on. It is not covered by the promise.", completion: .file())
    var testData: String?

    @Option(help: "A .npy file with the labels of a .npy file.", completion: .file(extensions: ["npy"]))
    var labels: String?

    @Option(help: "A .npy file with the labels of --test-data.", completion: .file(extensions: ["npy"]))
    var testLabels: String?

    @Option(
        help: """
            The number of classes of idx files (default: 10) or of whole-numbered labels in NumPy files. It is public, \
            and never taken from the data.
            """)
    var classes: Int?

    @Option(help: "A JSON file that says what the columns of the CSV file mean.")
    var schema: String?

    @Flag(help: "Let bounds and categories that the schema leaves open be taken from the data, without privacy.")
    var openRangesFromDataWithoutPrivacy = false

    @Flag(help: "Train on the 1,797 digits that ship with this program.")
    var demo = false

    @Option(help: "linear, logistic, softmax, mlp:784-1000-10, mlp:784-256-10:tanh, cnn:mnist.")
    var model: String?

    @Option(help: ArgumentHelp(stringLiteral: NamedOptimizer.table.map(\.name).joined(separator: ", ") + "."))
    var optimizer: OptimizerConfiguration.Name?

    @Option(help: "The learning rate, at least 0.")
    var learningRate: Double?

    @Option(help: "Momentum of sgd and rmsprop, in [0, 1).")
    var momentum: Double?

    @Flag(help: "Clip under the optimizer's own preconditioner (arXiv 2507.01129).")
    var scaleThenPrivatize = false

    @Option(help: "ε of the scale 1/(√v + ε), above 0; 1e-3 if left out, since the paper's 1e-8 can stall at first.")
    var scaleEpsilon: Double?

    @Option(help: "The budget ε, above 0: the noise is calibrated to it.")
    var epsilon: Double?

    @Option(help: "The noise multiplier, instead of a budget.")
    var noiseMultiplier: Double?

    @Option(help: "δ, far below one over the number of examples.")
    var delta: Double?

    @Option(help: "How often the data is gone through, on average.")
    var epochs: Double?

    @Option(help: "The number of steps, instead of epochs.")
    var iterations: Int?

    @Option(help: "The expected number of examples in a batch.")
    var batch: Double?

    @Option(help: "The clip norm C of each example's gradient, above 0.")
    var clip: Double?

    @Option(help: "Average the parameters of this share of the steps, the last ones, in (0, 1].")
    var averageTail: Double?

    @Option(help: "The folder to write model, report, metrics and checkpoints to.", completion: .directory)
    var output: String?

    @Flag(help: "Go on with the interrupted run in --output.")
    var resume = false

    @Option(help: "Write a checkpoint after every so many steps.")
    var checkpointInterval: Int?

    @Option(help: "Replay noise and sampling from a seed. NOT PRIVATE: for tests.")
    var nonPrivateSeed: UInt64?

    @Option(help: "How many threads to use.")
    var threads: Int?

    @Option(help: "A table for people, or one JSON object as the last line.")
    var format: OutputFormat = .table

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads is \(threads), but must be at least 1.") }
        if resume {
            guard output != nil else { throw ValidationError("--resume needs --output, the folder of the run.") }
            guard ignoredByResume.isEmpty else {
                throw ValidationError(
                    "--resume takes everything from the run in --output: leave "
                        + "\(ignoredByResume.joined(separator: ", ")) out.")
            }
        }
        guard !demo || data == nil else { throw ValidationError("--demo brings its own data: leave --data out.") }
    }

    /// The options that were given and say what the run's own configuration says already.
    private var ignoredByResume: [String] {
        let given: [(name: String, isSet: Bool)] = [
            ("config", config != nil), ("data", data != nil), ("test-data", testData != nil),
            ("labels", labels != nil), ("test-labels", testLabels != nil), ("classes", classes != nil),
            ("schema", schema != nil),
            ("open-ranges-from-data-without-privacy", openRangesFromDataWithoutPrivacy), ("demo", demo),
            ("model", model != nil), ("optimizer", optimizer != nil), ("learning-rate", learningRate != nil),
            ("momentum", momentum != nil), ("scale-then-privatize", scaleThenPrivatize),
            ("scale-epsilon", scaleEpsilon != nil), ("epsilon", epsilon != nil),
            ("noise-multiplier", noiseMultiplier != nil), ("delta", delta != nil), ("epochs", epochs != nil),
            ("iterations", iterations != nil), ("batch", batch != nil), ("clip", clip != nil),
            ("average-tail", averageTail != nil), ("checkpoint-interval", checkpointInterval != nil),
            ("non-private-seed", nonPrivateSeed != nil),
        ]
        return given.filter(\.isSet).map { "--\($0.name)" }
    }

    func run() throws {
        if let threads { Threads.limit = threads }
        let folder = output.map(RunFolder.init)
        let configuration: TrainingConfiguration
        if resume, let folder {
            configuration = try folder.configuration()
        } else {
            if let folder, folder.hasRun { throw TrainingConfigurationError.outputExists(path: folder.url.path) }
            configuration = try makeConfiguration()
        }
        try TrainingRun(configuration, folder: folder, format: format).run()
    }
}

extension OptimizerConfiguration.Name: ExpressibleByArgument {}

extension TrainCommand {
    /// What the file says, and what the options say beside it.
    func makeConfiguration() throws -> TrainingConfiguration {
        let guessed = try data.map(DataConfiguration.guess)
        var configuration: TrainingConfiguration
        if let config {
            configuration = try readConfiguration(config)
        } else if demo {
            configuration = try .demo()
        } else {
            configuration = try fromOptionsAlone(guessed)
        }
        if let guessed {
            if config == nil || configuration.data.kind == .digits {
                configuration.data = guessed
            } else {
                configuration.data.path = data
            }
        }
        if let testData { configuration.data.testPath = testData }
        if let schema { configuration.data.schema = schema }
        if let labels { configuration.data.labels = labels }
        if let testLabels { configuration.data.testLabels = testLabels }
        if let classes { configuration.data.classCount = classes }
        if openRangesFromDataWithoutPrivacy { configuration.data.takesOpenRangesFromDataWithoutPrivacy = true }
        if let model { configuration.model = model }
        applyOptimizer(to: &configuration.optimizer)
        applyPlan(to: &configuration.plan)
        if let averageTail { configuration.averaging = .tail(fraction: averageTail) }
        if let checkpointInterval { configuration.checkpointInterval = checkpointInterval }
        if let nonPrivateSeed { configuration.nonPrivateSeed = nonPrivateSeed }
        return configuration
    }

    private func fromOptionsAlone(_ data: DataConfiguration?) throws -> TrainingConfiguration {
        func required<Value>(_ value: Value?, _ what: String, _ remedy: String) throws -> Value {
            guard let value else { throw TrainingConfigurationError.missing(what: what, remedy: remedy) }
            return value
        }
        let clipNorm = try required(clip, "The clip norm", "give it with --clip; 1 is usual")
        let delta = try required(delta, "δ", "give it with --delta; far below one over the number of examples")
        return TrainingConfiguration(
            data: try required(data, "The data", "give it with --data, or use --demo"),
            model: try required(model, "The model", "give it with --model, for example softmax"),
            optimizer: OptimizerConfiguration(
                name: optimizer ?? .adam, learningRate: RateConfiguration(learningRate ?? 1e-3)),
            plan: PlanRequest(clipping: .flat(l2ClipNorm: clipNorm), delta: delta))
    }

    private func applyOptimizer(to configuration: inout OptimizerConfiguration) {
        if let optimizer, optimizer != configuration.name {
            configuration = OptimizerConfiguration(name: optimizer, learningRate: configuration.learningRate)
        }
        if let learningRate { configuration.learningRate = RateConfiguration(learningRate) }
        if let momentum { configuration.hyperparameters.momentum = momentum }
        if scaleThenPrivatize || scaleEpsilon != nil {
            var scaling = configuration.scaleThenPrivatize ?? OptimizerConfiguration.Scaling()
            scaling.epsilon = scaleEpsilon ?? scaling.epsilon ?? 1e-3
            configuration.scaleThenPrivatize = scaling
        }
    }

    private func applyPlan(to plan: inout PlanRequest) {
        if let clip { plan.clipping = .flat(l2ClipNorm: clip) }
        if let delta { plan.delta = delta }
        if let epsilon { (plan.epsilon, plan.noiseMultiplier) = (epsilon, nil) }
        if let noiseMultiplier {
            plan.noiseMultiplier = noiseMultiplier
            // Beside a budget on the same line, the noise is checked against it; one from a file is given up, aloud.
            if epsilon == nil, noiseMultiplier >= 0, let budget = plan.epsilon {
                plan.epsilon = nil
                let note = "note: --noise-multiplier takes the place of the configuration's budget, ε = \(budget)\n"
                FileHandle.standardError.write(Data(note.utf8))
            }
        }
        if let epochs { (plan.epochs, plan.iterations) = (epochs, iterations) }
        if let iterations { (plan.iterations, plan.epochs) = (iterations, epochs) }
        if let batch { (plan.expectedBatchSize, plan.sampling) = (batch, nil) }
    }
}

extension TrainingConfiguration {
    /// What `--demo` trains: softmax regression on the digits, in seconds.
    static func demo() throws -> TrainingConfiguration {
        var optimizer = OptimizerConfiguration(name: .sgd, learningRate: RateConfiguration(2))
        optimizer.hyperparameters.momentum = 0.9
        var plan = PlanRequest(clipping: .flat(l2ClipNorm: 1), delta: 1e-5)
        plan.expectedBatchSize = 250
        plan.epochs = 30
        plan.epsilon = 4
        var configuration = TrainingConfiguration(
            data: DataConfiguration(.digits), model: "softmax", optimizer: optimizer, plan: plan)
        configuration.averaging = .tail(fraction: 0.5)
        return configuration
    }
}
