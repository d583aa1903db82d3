import GradientTransformations
import Networks
import PrivateTraining

extension Formats {
    static let configuration = SettingGroup(
        "configuration", "All of a run: what `dp train --config` reads, and what stands in a run's config.json.",
        [
            Setting(
                "data", .group(data), example: #"{"kind": "idx", "path": "mnist"}"#,
                "where the examples come from (or --demo, to try)"),
            Setting(
                "users", .group(users), absent: "each example is protected by itself",
                example: #"{"owners": "user_id", "examplesPerUser": 4}"#, "whose the examples are"),
            Setting(
                "features", .group(features), absent: "scattering of images where model is left out too",
                example: #"{"kind": "scattering", "height": 28, "width": 28}"#,
                "a fixed map of the inputs that was not learned from data"),
            Setting(
                "augmentation", .group(augmentation), absent: "examples are taken as they are",
                example: #"{"count": 4, "height": 28, "width": 28, "shift": 2}"#,
                "random changes of images, whose gradients are averaged before clipping"),
            Setting(
                "model", .text, absent: "linear, logistic or softmax, as the targets are", example: #""softmax""#,
                "linear, logistic, softmax, mlp:256 (hidden widths), mlp:256-64:tanh, cnn:mnist, gru:64, lstm:64, "
                    + "transformer:layers=2,width=64,heads=4"),
            Setting(
                "architecture", .group(architecture), absent: "what model says",
                example: #"{"input": {"features": 64}, "layers": [], "loss": "softmaxCrossEntropy"}"#,
                "the layers themselves, in the place of model"),
            Setting(
                "optimizer", .group(optimizer), absent: "sgd with momentum",
                example: #"{"name": "sgd", "momentum": 0.9}"#,
                "how private gradients become updates"),
            Setting(
                "init", .text, absent: "random parameters", example: #""public.safetensors""#,
                "a file of parameters to begin from: public, with this package's names or PyTorch's"),
            Setting(
                "mapping", .text, absent: "the names in the file of init say what each tensor is",
                example: #""mapping.json""#, "a file that says which tensors the parameters are"),
            Setting(
                "frozen", .list(.text), absent: "nothing", example: #"["conv1", "dense2/kernel"]"#,
                "layers and leaves that stay as they began"),
            Setting(
                "plan", .group(plan), absent: "what options and defaults say",
                example: #"{"epsilon": 2, "delta": 1e-6}"#,
                "what the run promises"),
            Setting(
                "averaging", .group(averaging), absent: "the last half of the steps",
                example: #"{"kind": "tail", "fraction": 0.5}"#, "which average of the parameters is kept"),
            Setting(
                "microbatchSize", .whole(.atLeast(1)), absent: "what fits into memory, at most 512",
                example: "512",
                "how many examples are in memory at once"),
            Setting(
                "evaluationInterval", .whole(.atLeast(1)), absent: "at most twenty times, in a fifth of the time",
                example: "50",
                "evaluate after every so many steps"),
            Setting(
                "checkpointInterval", .whole(.atLeast(1)), absent: "some twenty checkpoints", example: "50",
                "write a checkpoint after every so many steps"),
            Setting(
                "initializationSeed", .whole(.atLeast(0)), absent: "0", example: "0",
                "the seed of the initial parameters"),
            Setting(
                "nonPrivateSeed", .whole(.atLeast(0)), absent: "no seed: private", example: "7",
                "replays noise and sampling: NOT PRIVATE, for tests"),
        ])

    static let users = SettingGroup(
        "users", "Whose the examples are: the promise is then to each user, and batches are drawn from users.",
        [
            Setting(
                "owners", .text, example: #""user_id""#,
                "a column of the CSV file, or a file with a line or a whole number for each example"),
            Setting(
                "examplesPerUser", .whole(.atLeast(1)), absent: "1", example: "4",
                "the most examples of a user that one step takes the mean of"),
        ])

    static let features = SettingGroup(
        "features", "A fixed map of the inputs.", [],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(
                    name: "scattering", about: "scattering of two layers over images (arXiv 2011.11660)",
                    settings: [
                        Setting("height", .whole(.atLeast(1)), example: "28", "rows of an image"),
                        Setting("width", .whole(.atLeast(1)), example: "28", "columns of an image"),
                    ]),
                SettingGroup.Kind(
                    name: "fullScattering", about: "all 81 channels of two scales and eight orientations",
                    settings: [
                        Setting("height", .whole(.atLeast(1)), example: "28", "rows of an image"),
                        Setting("width", .whole(.atLeast(1)), example: "28", "columns of an image"),
                        Setting(
                            "groups", .whole(.atLeast(1)), absent: "features are not normalised", example: "27",
                            "groups of channels that are normalised, image by image, without privacy cost"),
                    ]),
            ]))

    static let optimizer = SettingGroup(
        "optimizer", "How private gradients become updates. Of the numbers, an optimizer takes those that it has.",
        [
            Setting(
                "learningRate", .either([.number(.notNegative), .group(learningRate)]),
                absent: "chosen by the noise", example: "0.5", "a number, or a schedule"),
            Setting(
                "scaleThenPrivatize", .group(scaling), absent: "gradients are clipped as they are",
                example: #"{"epsilon": 1e-3}"#, "clip under the optimizer's own preconditioner (arXiv 2507.01129)"),
        ],
        kinds: SettingGroup.Kinds(
            key: "name",
            choices: NamedOptimizer.table.map { optimizer in
                SettingGroup.Kind(
                    name: optimizer.name, about: optimizer.isAdaptive ? "adaptive" : "",
                    settings: hyperparameters.filter { setting in
                        optimizer.hyperparameters.contains { $0.rawValue == setting.key }
                    })
            }))

    private static let hyperparameters = [
        Setting("momentum", .number(.belowOne), absent: "0", example: "0.9", "momentum"),
        Setting("nesterov", .flag, absent: "false", example: "true", "Nesterov's momentum"),
        Setting("beta1", .number(.belowOne), absent: "the optimizer's", example: "0.9", "decay of the first moment"),
        Setting("beta2", .number(.belowOne), absent: "the optimizer's", example: "0.999", "decay of the second moment"),
        Setting(
            "decay", .number(.belowOne), absent: "the optimizer's", example: "0.9",
            "decay of averages; of adafactor, c in 1 − t⁻ᶜ"),
        Setting(
            "epsilon", .number(.positive), absent: "the optimizer's", example: "1e-8",
            "what divisors are kept from 0 by"),
        Setting("weightDecay", .number(.notNegative), absent: "the optimizer's", example: "1e-4", "weight decay"),
        Setting(
            "minimumFactoredSide", .whole(.atLeast(1)), absent: "128", example: "16",
            "the least length of both axes of a leaf whose second moment is factored"),
        Setting(
            "clippingThreshold", .number(.positive), absent: "1", example: "1",
            "the largest root mean square of a leaf's update before the learning rate"),
        Setting(
            "multiplyByParameterScale", .flag, absent: "true", example: "false",
            "learning rates are relative to the size of a leaf's parameters"),
    ]

    static let learningRate = SettingGroup(
        "learningRate", "A learning rate over the steps of the run.",
        [Setting("value", .number(.notNegative), example: "0.5", "the largest rate")],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(name: "constant", about: "always the same", settings: []),
                SettingGroup.Kind(name: "linear", about: "falls along a line", settings: [final]),
                SettingGroup.Kind(name: "cosine", about: "falls along half a cosine", settings: [final]),
                SettingGroup.Kind(
                    name: "exponential", about: "falls by a factor in every step",
                    settings: [Setting("final", .number(.positive), example: "0.05", "the rate at the end")]),
                SettingGroup.Kind(
                    name: "warmup-cosine", about: "rises along a line, then falls along half a cosine",
                    settings: [
                        final,
                        Setting(
                            "warmupSteps", .whole(.atLeast(0)), absent: "0", example: "20",
                            "for how many steps it rises"),
                    ]),
            ]))

    private static let final = Setting(
        "final", .number(.notNegative), absent: "0", example: "0.05", "the rate at the end")

    static let scaling = SettingGroup(
        "scaleThenPrivatize",
        "Scale-then-privatize: gradients are clipped under 1/(√(v + epsilonRoot) + epsilon), which adafactor has of "
            + "rank one.",
        [
            Setting("epsilon", .number(.positive), absent: "1e-3", example: "1e-3", "the ε of the scale"),
            Setting("epsilonRoot", .number(.notNegative), absent: "0", example: "0", "the ε under the root"),
            Setting("warmUpSteps", .whole(.atLeast(0)), absent: "0", example: "10", "steps without a scale"),
            Setting("floor", .number(.notNegative), absent: "0", example: "0", "the least that v counts as"),
            Setting(
                "initialSecondMoment", .number(.notNegative), absent: "0", example: "0", "v before the first step"),
            Setting(
                "refreshEvery", .whole(.atLeast(1)), absent: "1", example: "50",
                "for how many steps a scale stays: as many as restartEvery under correlated noise"),
        ])

    static let averaging = SettingGroup(
        "averaging", "Which average of the parameters is kept. It costs no privacy.", [],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(name: "none", about: "the last parameters", settings: []),
                SettingGroup.Kind(
                    name: "exponential", about: "a moving average",
                    settings: [Setting("decay", .number(.belowOne), example: "0.99", "the decay of each step")]),
                SettingGroup.Kind(
                    name: "tail", about: "the mean of the last steps",
                    settings: [Setting("fraction", .number(.fraction), example: "0.5", "the share of all steps")]),
            ]))

    static let model = SettingGroup(
        "model", "What `dp train` writes to model.json: all between a file and predictions, but the parameters.",
        [
            Setting(
                "architecture", .group(architecture),
                example: #"""
                    {"input": {"features": 64}, "layers": [{"kind": "dense", "outputs": 10, "activation": "identity"}],
                     "loss": "softmaxCrossEntropy"}
                    """#, "the network"),
            Setting(
                "features", .group(features), absent: "the inputs themselves",
                example: #"{"kind": "scattering", "height": 28, "width": 28}"#, "a fixed map of the inputs"),
            Setting(
                "normalization", .group(channelNormalization), absent: "features are taken as they are",
                example: #"{"means": [0.5], "scales": [2]}"#,
                "what the plan's normalization released, by which features are normalised"),
            Setting(
                "schema", .group(schema), absent: "the data is no CSV file",
                example: #"{"columns": [{"name": "age", "kind": "numeric", "lower": 17, "upper": 90}]}"#,
                "how records become inputs"),
            Setting(
                "byteInputs", .flag, absent: "the data is neither idx nor NumPy files", example: "true",
                "whether features are unsigned bytes, which are scaled by 1/255"),
            Setting(
                "inputs", .choice(NumPyFile.Inputs.allCases.map(\.rawValue)), absent: "features",
                example: #""tokens""#, "what the numbers of NumPy files are"),
            Setting(
                "text", .group(textFormat), absent: "the data is no text",
                example: #"{"vocabulary": {"kind": "bytes"}, "length": 100}"#, "how lines or windows become inputs"),
            Setting(
                "ownerColumn", .text, absent: "no column names owners", example: #""user_id""#,
                "the column of CSV files that is no input, and may be left out of them"),
        ])

    static let channelNormalization = SettingGroup(
        "normalization", "Feature i becomes (z − mean)·scale, with mean and scale number i mod K of K.",
        [
            Setting("means", .list(.number(.finite)), example: "[0.5]", "a mean for each channel"),
            Setting("scales", .list(.number(.finite)), example: "[2]", "a scale for each channel"),
        ])

    static let architecture = SettingGroup(
        "architecture", "A network: layers in the order in which outputs become inputs.",
        [
            Setting(
                "input", .group(input), example: #"{"height": 28, "width": 28, "channels": 1}"#,
                "a vector of so many features, an image, a sequence, or tokens"),
            Setting(
                "layers", .list(.group(layer)),
                example: #"[{"kind": "dense", "outputs": 10, "activation": "identity"}]"#,
                "the layers"),
            Setting(
                "loss", .choice(LossFunction.allCases.map(\.rawValue)), example: #""softmaxCrossEntropy""#,
                "what training makes small"),
        ])

    static let augmentation = SettingGroup(
        "augmentation", "Images that are shifted at random, several copies of each example in a step.",
        [
            Setting("count", .whole(.atLeast(1)), example: "4", "copies of each example in a step"),
            Setting("height", .whole(.atLeast(1)), example: "28", "rows of an image"),
            Setting("width", .whole(.atLeast(1)), example: "28", "columns of an image"),
            Setting("channels", .whole(.atLeast(1)), absent: "1", example: "3", "numbers of a pixel"),
            Setting(
                "shift", .whole(.atLeast(0)), absent: "0", example: "2", "the most pixels that an image is moved by"),
            Setting("flip", .flag, absent: "false", example: "true", "whether half of the copies are mirrored"),
        ])

    static let input = SettingGroup(
        "input",
        "A vector (features alone), an image (height, width, channels), a sequence (positions, width), or tokens "
            + "(length, vocabulary).",
        [
            Setting("features", .whole(.atLeast(1)), absent: "no vector", example: "64", "numbers of an example"),
            Setting("height", .whole(.atLeast(1)), absent: "no image", example: "28", "rows of an image"),
            Setting(
                "width", .whole(.atLeast(1)), absent: "neither image nor sequence", example: "28",
                "columns of an image, or numbers of a position"),
            Setting("channels", .whole(.atLeast(1)), absent: "no image", example: "1", "numbers of a pixel"),
            Setting("positions", .whole(.atLeast(1)), absent: "no sequence", example: "20", "the longest sequence"),
            Setting("length", .whole(.atLeast(1)), absent: "no tokens", example: "64", "the most tokens of an example"),
            Setting("vocabulary", .whole(.atLeast(1)), absent: "no tokens", example: "256", "ids lie below it"),
        ])

    static let layer: SettingGroup = SettingGroup(
        "layers", "A layer.", [],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(name: "dense", about: "y = f(xᵀK + b)", settings: [outputs, activation]),
                SettingGroup.Kind(
                    name: "convolution", about: "a kernel slid over an image",
                    settings: [
                        outputs, size, stride,
                        Setting("padding", .whole(.atLeast(0)), example: "3", "zeros around the image"), activation,
                        Setting(
                            "standardised", .flag, absent: "false", example: "true",
                            "bring each output's kernel to mean 0 and variance 1 before use (arXiv 1903.10520)"),
                    ]),
                SettingGroup.Kind(
                    name: "pooling", about: "one pixel for size × size of them",
                    settings: [
                        Setting(
                            "pooling", .choice(Pooling.allCases.map(\.rawValue)),
                            example: #""max""#, "the largest or the mean"), size, stride,
                    ]),
                SettingGroup.Kind(
                    name: "embedding", about: "a vector for each token",
                    settings: [Setting("width", .whole(.atLeast(1)), example: "64", "numbers of a token")]),
                SettingGroup.Kind(
                    name: "positionEmbedding", about: "a learned vector for each position, added", settings: []),
                SettingGroup.Kind(
                    name: "attention", about: "attention of a sequence to itself", settings: [heads, isCausal]),
                SettingGroup.Kind(
                    name: "transformerBlock", about: "attention and a hidden layer, each added to its input",
                    settings: [
                        heads,
                        Setting("hiddenWidth", .whole(.atLeast(1)), example: "256", "outputs of the hidden layer"),
                        isCausal,
                    ]),
                SettingGroup.Kind(
                    name: "layerNorm", about: "features of mean 0 and variance 1 (arXiv 1607.06450)", settings: []),
                SettingGroup.Kind(
                    name: "rmsNorm", about: "features of mean square 1 (arXiv 1910.07467)", settings: []),
                SettingGroup.Kind(
                    name: "groupNorm", about: "the same for groups of an image's channels (arXiv 1803.08494)",
                    settings: [
                        Setting("groups", .whole(.atLeast(1)), example: "4", "groups of channels, which they divide")
                    ]),
                SettingGroup.Kind(
                    name: "sequencePooling", about: "one vector for all positions but padding",
                    settings: [
                        Setting(
                            "pooling", .choice(SequencePooling.Kind.allCases.map(\.rawValue)), example: #""mean""#,
                            "what stands for the positions")
                    ]),
                SettingGroup.Kind(
                    name: "tiedHead", about: "a score for each token, by the embedding's table", settings: []),
                SettingGroup.Kind(
                    name: "gru", about: "gated recurrent units over a sequence", settings: [recurrentWidth, returns]),
                SettingGroup.Kind(
                    name: "lstm", about: "long short-term memory over a sequence",
                    settings: [recurrentWidth, returns]),
                SettingGroup.Kind(
                    name: "dropout", about: "numbers dropped at random in training",
                    settings: [
                        Setting("rate", .number(.belowOne), example: "0.1", "the probability that a number is dropped")
                    ]),
                SettingGroup.Kind(
                    name: "residual", about: "x + f(x), with f the layers inside, which keep the shape",
                    settings: [
                        Setting(
                            "layers", .list(.nested { layer }),
                            example: #"[{"kind": "dense", "outputs": 64, "activation": "relu"}]"#, "f")
                    ]),
                SettingGroup.Kind(
                    name: "lowRankAdapter",
                    about: "y = f(xᵀK + (alpha/rank)·xᵀAB + b), of which A and B are trained (arXiv 2106.09685)",
                    settings: [
                        outputs, activation,
                        Setting("rank", .whole(.atLeast(1)), example: "4", "columns of A, and rows of B"),
                        Setting("alpha", .number(.positive), example: "8", "what AB is multiplied by, times the rank"),
                    ]),
            ]))

    private static let heads = Setting(
        "heads", .whole(.atLeast(1)), example: "4", "heads, which divide the features")
    private static let isCausal = Setting(
        "isCausal", .flag, example: "true", "whether no position sees later ones")

    private static let recurrentWidth = Setting(
        "width", .whole(.atLeast(1)), example: "64", "numbers of a state")
    private static let returns = Setting(
        "returns", .choice(ReturnedStates.allCases.map(\.rawValue)), example: #""last""#,
        "all states, or the last position's")

    private static let outputs = Setting("outputs", .whole(.atLeast(1)), example: "10", "outputs (of a pixel)")
    private static let size = Setting("size", .whole(.atLeast(1)), example: "2", "rows and columns of the window")
    private static let stride = Setting("stride", .whole(.atLeast(1)), example: "1", "pixels from window to window")
    private static let activation = Setting(
        "activation", .text, example: #""relu""#, "identity, relu, tanh, gelu or sigmoid=SCALE,TEMPERATURE,OFFSET")

    static let schema = SettingGroup(
        "schema",
        "What the columns of a CSV file mean. What is public stands here, so that nothing is learned from data.",
        [
            Setting(
                "columns", .list(.group(column)),
                example: #"[{"name": "age", "kind": "numeric", "lower": 17, "upper": 90}]"#,
                "the columns; without a header in the file's order"),
            Setting(
                "hasHeader", .flag, absent: "true", example: "false", "whether the first record names the columns"),
            Setting("separator", .text, absent: "\",\"", example: #"";""#, "what stands between fields"),
            Setting(
                "commentPrefix", .text, absent: "no comments", example: ##""#""##, "lines that begin so are skipped"),
            Setting(
                "missingMarkers", .list(.text), absent: "[\"\"]", example: #"["", "?"]"#,
                "the texts that stand for a missing value"),
        ])

    static let column = SettingGroup(
        "columns", "A column.",
        [Setting("name", .text, example: #""age""#, "its name in the header")],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(
                    name: "numeric", about: "a number, clamped to its bounds and scaled to [0, 1]",
                    settings: [
                        Setting("lower", .number(.any), absent: "open", example: "17", "the lower bound: public"),
                        Setting("upper", .number(.any), absent: "open", example: "90", "the upper bound: public"),
                        Setting(
                            "isLogarithmic", .flag, absent: "false", example: "true", "scale ln(1 + x) in its place"),
                        Setting(
                            "fill", .number(.any), absent: "none may be missing", example: "40",
                            "what stands for a missing value"),
                        Setting(
                            "hasIndicator", .flag, absent: "false", example: "true",
                            "a second feature that is 1 where the value is missing"),
                    ]),
                SettingGroup.Kind(
                    name: "buckets", about: "which of some intervals a number lies in",
                    settings: [
                        Setting(
                            "edges", .list(.number(.any)), example: "[18, 65]",
                            "where one interval ends and the next begins"),
                        unlisted,
                    ]),
                SettingGroup.Kind(
                    name: "categorical", about: "one of some texts",
                    settings: [
                        Setting(
                            "categories", .list(.text), absent: "open", example: #"["clerk", "other"]"#,
                            "the texts: public"), unlisted,
                    ]),
                SettingGroup.Kind(
                    name: "label", about: "the class to be predicted",
                    settings: [
                        Setting("classes", .list(.text), example: #"["no", "yes"]"#, "its names"),
                        Setting(
                            "ignoresFullStop", .flag, absent: "false", example: "true",
                            "whether a full stop after a name is dropped"),
                    ]),
                SettingGroup.Kind(
                    name: "target", about: "the number to be predicted, clamped to its bounds and scaled to [0, 1]",
                    settings: [
                        Setting("lower", .number(.any), absent: "open", example: "0", "the lower bound: public"),
                        Setting("upper", .number(.any), absent: "open", example: "50", "the upper bound: public"),
                    ]),
                SettingGroup.Kind(name: "ignored", about: "not read", settings: []),
            ],
            retired: [
                CSVSchema.openKind:
                    "is still '\(CSVSchema.openKind)', as 'dp schema' left it: write what the column is, "
                    + "one of numeric, buckets, categorical, label, target, ignored."
            ]))

    private static let unlisted = Setting(
        "unlisted", .choice(["ownSlot", "zeros", "refused"]), absent: "refused", example: #""ownSlot""#,
        "what becomes of a missing or unknown value")
}
