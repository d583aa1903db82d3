import GradientTransformations
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining

/// The files that `dp` reads.
enum Formats {
    static let plan = SettingGroup(
        "plan", "What a run promises. Of epsilon and noiseMultiplier one is needed, and of epochs and iterations.",
        [
            Setting(
                "epsilon", .number(.positive), absent: "noiseMultiplier says what the noise is", example: "2",
                "the budget ε, which the noise is calibrated to"),
            Setting(
                "noiseMultiplier", .number(.notNegative), absent: "calibrated to epsilon", example: "1.1",
                "the noise's standard deviation over the sensitivity"),
            Setting(
                "delta", .number(.belowOne), absent: "only where --delta gives it", example: "1e-6",
                "δ, far below one over the number of examples (or users)"),
            Setting(
                "expectedBatchSize", .number(.positive), absent: "a quarter of the examples", example: "600",
                "the expected number of examples (or users) in a batch of Poisson sampling"),
            Setting(
                "sampling", .group(sampling), absent: "Poisson sampling",
                example: #"{"kind": "poisson", "exampleCount": 60000, "samplingProbability": 0.01}"#,
                "how batches are drawn, in the place of expectedBatchSize"),
            Setting(
                "exampleCount", .whole(.atLeast(1)), absent: "as many as the data has", example: "60000",
                "the number of examples; a plan without data needs it"),
            Setting(
                "epochs", .number(.notNegative), absent: "iterations says how many steps there are", example: "20",
                "how often the data is gone through, on average"),
            Setting(
                "iterations", .whole(.atLeast(0)), absent: "epochs says how many steps there are", example: "200",
                "the number of steps"),
            Setting(
                "clipping", .group(clipping), absent: "the threshold 1",
                example: #"{"method": "threshold", "l2ClipNorm": 1}"#,
                "how each example's contribution is bounded"),
            Setting(
                "relation", .choice(NeighboringRelation.allCases.map(\.rawValue)), absent: "add-or-remove-one",
                example: #""add-or-remove-one""#, "what neighbouring data sets differ in"),
            Setting(
                "unit", .choice(PrivacyUnit.allCases.map(\.rawValue)), absent: "example", example: #""example""#,
                "whose presence is hidden"),
            Setting(
                "accountant", .choice(PlanAccountant.allCases.map(\.rawValue)), absent: "pld", example: #""pld""#,
                "who computes ε"),
            Setting(
                "noise", .group(noise), absent: "discreteGaussian", example: #"{"kind": "discreteGaussian"}"#,
                "how sums are made private"),
            Setting(
                "normalization", .group(normalization), absent: "features are taken as they are",
                example: #"{"channelCount": 81, "l2ClipNorm": 1, "noiseMultiplier": 8}"#,
                "a private release of means and variances, by which features are normalised"),
        ])

    static let normalization = SettingGroup(
        "normalization",
        "Means and variances of the features' channels, released once under noise of their own; ε contains them.",
        [
            Setting(
                "channelCount", .whole(.atLeast(1)), example: "81",
                "the number K of channels: feature i is of channel i mod K"),
            Setting(
                "l2ClipNorm", .number(.constant), example: "1",
                "the bound of an example's means and mean squares together"),
            Setting(
                "noiseMultiplier", .number(.notNegative), example: "8",
                "the noise's standard deviation over l2ClipNorm"),
        ])

    static let clipping = SettingGroup(
        "clipping", "How each example's contribution is bounded.", [],
        kinds: SettingGroup.Kinds(
            key: "method",
            choices: [
                SettingGroup.Kind(
                    name: "threshold", about: "gradients longer than C are scaled to C",
                    settings: [
                        Setting(
                            "l2ClipNorm", .either([.number(.clipNorm), .tree(.number(.clipNorm))]), example: "1",
                            "the clip norm C, or an object with one for each subtree"),
                        Setting(
                            "rescaleToUnitNorm", .flag, absent: "false", example: "true",
                            "divide by C, so that a contribution's bound is 1"),
                    ]),
                SettingGroup.Kind(
                    name: "automatic", about: "every gradient is scaled to about C (arXiv 2206.07136)",
                    settings: [clipNorm, stability("γ")]),
                SettingGroup.Kind(
                    name: "per-sample-adaptive",
                    about: "large gradients are scaled to about C, small ones less (arXiv 2212.00328)",
                    settings: [clipNorm, stability("r")]),
                SettingGroup.Kind(
                    name: "adaptive-quantile", about: "C follows a quantile of the norms (arXiv 1905.03871)",
                    settings: [
                        Setting(
                            "initialL2ClipNorm", .number(.constant), example: "1", "C before the first step"),
                        Setting(
                            "countNoiseMultiplier", .number(.positive), example: "10",
                            "the standard deviation of the noise on the count, in examples"),
                        Setting(
                            "quantile", .number(.probability), absent: "0.5", example: "0.5",
                            "the share of examples that should not be clipped"),
                        Setting(
                            "learningRate", .number(.notNegative), absent: "0.2", example: "0.2",
                            "how fast C follows"),
                    ]),
            ]))

    private static let clipNorm = Setting("l2ClipNorm", .number(.clipNorm), example: "1", "the clip norm C")

    private static func stability(_ symbol: String) -> Setting {
        Setting("stability", .number(.constant), example: "0.01", "the constant \(symbol)")
    }

    static let sampling = SettingGroup(
        "sampling", aboutSampling, [],
        kinds: SettingGroup.Kinds(key: "kind", choices: ofExamples + [ofUsers, ofSeveralOwners]))

    private static let aboutSampling = "How batches are drawn."

    /// How users are drawn: as examples are.
    private static let base = SettingGroup(
        "sampling", aboutSampling, [], kinds: SettingGroup.Kinds(key: "kind", choices: ofExamples))

    private static let ofUsers = SettingGroup.Kind(
        name: "user", about: "users, with all of their examples, drawn as examples are elsewhere",
        settings: [
            Setting(
                "owners", .list(.whole(.atLeast(-1))), example: "[0, 0, 1]",
                "the number of each example's user, −1 for nobody"),
            Setting("userCount", .whole(.atLeast(1)), example: "2", "the number of users"),
            Setting(
                "samplingProbability", .number(.probability), absent: "base says how users are drawn",
                example: "0.01", "the chance of each user to be in a batch"),
            Setting(
                "base", .group(base), absent: "samplingProbability says how users are drawn",
                example: #"{"kind": "balls-in-bins", "exampleCount": 2, "bins": 100}"#,
                "how users are drawn, its exampleCount being userCount"),
            Setting(
                "examplesPerUser", .whole(.atLeast(1)), absent: "1", example: "4",
                "the most examples of a user that one step takes the mean of"),
        ])

    private static let ofSeveralOwners = SettingGroup.Kind(
        name: "several-owners", about: "examples that several users share, each user's far enough apart",
        settings: [
            Setting(
                "owners", .list(.list(.whole(.atLeast(0)))), example: "[[0, 1], [1]]",
                "the numbers of each example's users"),
            Setting("ownerCount", .whole(.atLeast(1)), example: "2", "the number of users"),
            Setting(
                "separation", .whole(.atLeast(1)), example: "4", "steps between participations of a user, at least"),
            Setting("stepsPerEpoch", .whole(.atLeast(1)), example: "100", "steps of an epoch"),
            Setting(
                "contributionBound", .whole(.atLeast(1)), absent: "stepsPerEpoch over separation", example: "5",
                "the most examples of a user in an epoch"),
        ])

    private static let ofExamples = [
        SettingGroup.Kind(
            name: "poisson", about: "each example with the same probability, independently",
            settings: [exampleCount, samplingProbability]),
        SettingGroup.Kind(
            name: "cyclic-poisson", about: "groups in turn, Poisson within a group",
            settings: [
                exampleCount, Setting("bands", .whole(.atLeast(1)), example: "4", "the number of groups"),
                samplingProbability,
                Setting(
                    "partition", .choice(["independent", "equal-sizes"]),
                    absent: "independent, equal-sizes if truncated",
                    example: #""equal-sizes""#, "how examples come to their groups"),
                Setting(
                    "maximumBatchSize", .whole(.atLeast(1)), absent: "none", example: "800",
                    "the largest batch, of groups of equal sizes"),
            ]),
        SettingGroup.Kind(
            name: "b-min-sep", about: "Poisson, with a pause after each participation",
            settings: [
                exampleCount,
                Setting(
                    "separation", .whole(.atLeast(1)), example: "4", "steps between participations"),
                samplingProbability,
            ]),
        SettingGroup.Kind(
            name: "truncated-poisson", about: "Poisson, cut to a largest batch",
            settings: [
                exampleCount, samplingProbability,
                Setting("maximumBatchSize", .whole(.atLeast(1)), example: "800", "the largest batch"),
            ]),
        SettingGroup.Kind(
            name: "fixed-size", about: "so many examples in every step",
            settings: [
                exampleCount, batchSize,
                Setting(
                    "isWithReplacement", .flag, absent: "false", example: "false",
                    "whether an example can be drawn twice"),
            ]),
        SettingGroup.Kind(
            name: "balls-in-bins", about: "each example in one of the steps of an epoch",
            settings: [
                exampleCount, Setting("bins", .whole(.atLeast(1)), example: "100", "steps of an epoch"),
                Setting(
                    "isRedrawnEachEpoch", .flag, absent: "false", example: "true",
                    "whether each epoch has an allocation of its own"),
            ]),
        SettingGroup.Kind(
            name: "random-allocation", about: "each example in k of the steps of an epoch",
            settings: [
                exampleCount,
                Setting("participations", .whole(.atLeast(1)), example: "2", "k"),
                Setting("stepsPerEpoch", .whole(.atLeast(1)), example: "100", "steps of an epoch"),
            ]),
        SettingGroup.Kind(
            name: "shuffled-epochs", about: "the shuffled data in order, without amplification",
            settings: [
                exampleCount, batchSize,
                Setting(
                    "keepsOrder", .flag, absent: "false", example: "true",
                    "whether all epochs have the order of the first, which correlated noise gains from"),
            ]),
    ]

    private static let exampleCount = Setting(
        "exampleCount", .whole(.atLeast(1)), example: "60000", "the number of examples")
    private static let samplingProbability = Setting(
        "samplingProbability", .number(.probability), example: "0.01", "the chance to be in a batch")
    private static let batchSize = Setting(
        "batchSize", .whole(.atLeast(1)), example: "600", "the number of examples in a batch")
}
