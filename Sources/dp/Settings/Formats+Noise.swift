import PrivacyMechanisms

extension Formats {
    static let noise = SettingGroup(
        "noise", "How sums are made private.", [],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(
                    name: "discreteGaussian",
                    about: "integer noise on integer sums: ε holds for the numbers that the machine computes",
                    settings: []),
                SettingGroup.Kind(
                    name: "correlated", about: "noise that later steps take away again in part", settings: correlation),
                SettingGroup.Kind(
                    name: "floatingPointGaussian",
                    about: "floating-point noise and sums, for comparison: ε does not cover their low-order bits",
                    settings: []),
            ], retired: NoiseScheme.retiredKinds))

    private static let correlation = [
        Setting(
            "strategy", .group(strategy), example: #"{"kind": "blt"}"#,
            "how noise is correlated: a kind that is fitted to the plan, or a strategy with all of its numbers"),
        Setting(
            "workload", .group(workload), absent: "prefix sums", example: #"{"momentum": 0.9}"#,
            "what a strategy is fitted to"),
        Setting(
            "objective", .choice(StrategyGoal.Objective.allCases.map(\.rawValue)), absent: "mean", example: #""max""#,
            "the error that is fitted: the mean of all steps', or the largest"),
        Setting(
            "restartEvery", .whole(.atLeast(1)), absent: "one strategy over all steps", example: "100",
            "the number of steps of a strategy that is fitted, and then begins anew"),
        Setting(
            "restarts", .flag, absent: "false", example: "true",
            "whether a strategy with all of its numbers begins anew when its steps have been taken"),
    ]

    static let workload = SettingGroup(
        "workload", "What the optimizer makes of gradients: it decides how good a strategy is, and nothing else.",
        [
            Setting("momentum", .number(.belowOne), absent: "0", example: "0.9", "the momentum of SGD"),
            Setting(
                "retention", .number(.fraction), absent: "1", example: "0.999",
                "what is left of parameters after a step's weight decay"),
        ])

    static let strategy = SettingGroup(
        "strategy",
        "How noise is correlated over steps. What is to be fitted has neither steps nor rows; otherwise all numbers of "
            + "the strategy are needed, and none of the request.",
        [],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(
                    name: IdentityStrategy.kind, about: "independent noise, as in DP-SGD", settings: [steps]),
                SettingGroup.Kind(
                    name: ToeplitzStrategy.kind, about: "few bands, amplified by cyclic Poisson sampling",
                    settings: [
                        Setting(
                            "bands", .whole(.atLeast(1)), absent: "coefficients says what the strategy is",
                            example: "2", "the number of bands that are fitted"),
                        numbers("coefficients", example: "[1, 0.5]", "the diagonals, of which the first is 1"), steps,
                    ]),
                SettingGroup.Kind(
                    name: BandedInverseStrategy.kind, about: "few earlier noises in each step, and no memory",
                    settings: [
                        Setting(
                            "terms", .whole(.atLeast(1)), absent: "noisingCoefficients says what the strategy is",
                            example: "2", "how many coefficients of (1 − x)^γ are fitted"),
                        Setting("gamma", .number(.fraction), absent: "the best one", example: "0.5", "γ"),
                        numbers(
                            "noisingCoefficients", example: "[1, -0.5]", "the inverse's diagonals, the first 1"), steps,
                    ]),
                SettingGroup.Kind(
                    name: BufferedToeplitzStrategy.kind, about: "few buffers, for any number of participations",
                    settings: [
                        Setting(
                            "buffers", .whole(.atLeast(1)), absent: "as many as gain 1 % each", example: "3",
                            "the number of buffers that are fitted"),
                        numbers("decays", example: "[0.9]", "the buffers' decays, decreasing"),
                        numbers("weights", example: "[0.2]", "the buffers' weights"), steps,
                    ]),
                SettingGroup.Kind(
                    name: DenseStrategy.kind, about: "any matrix, for at most 4096 steps",
                    settings: [
                        Setting(
                            "rows", .list(.list(.number(.any))), absent: "fitted", example: "[[1], [0.5, 1]]",
                            "the matrix's rows up to the diagonal")
                    ]),
            ]))

    private static let steps = Setting(
        "steps", .whole(.atLeast(1)), absent: "fitted", example: "100", "the number of steps of the strategy")

    private static func numbers(_ key: String, example: String, _ meaning: String) -> Setting {
        Setting(key, .list(.number(.any)), absent: "fitted", example: example, meaning)
    }
}
