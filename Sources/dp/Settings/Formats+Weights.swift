extension Formats {
    static let mapping = SettingGroup(
        "mapping",
        "Which tensors of a safetensors file the parameters are. Tensors that no rule matches are left alone.",
        [
            Setting(
                "rules", .list(.group(rule)),
                example: #"[{"from": "layers.*.fc.weight", "to": "blocks/*/dense/kernel", "order": "linear"}]"#,
                "which tensor each parameter is; none may be filled twice"),
            Setting(
                "allowMissing", .either([.flag, .list(.text)]), absent: "every parameter has to be filled",
                example: #"["dense2", "conv1/bias"]"#,
                "layers and leaves that may be missing, true for all: they begin from random numbers"),
        ])

    static let rule = SettingGroup(
        "rules", "A rule. A * stands for any text between two separators, and for the same text in both names.",
        [
            Setting("from", .text, example: #""layers.*.fc.weight""#, "the tensor's name"),
            Setting("to", .text, example: #""blocks/*/dense/kernel""#, "the parameter's path"),
            Setting(
                "rows", .list(.whole(.atLeast(0))), absent: "all", example: "[64, 128]",
                "begin and end of the tensor's rows that are the parameter, of tensors that hold several"),
        ],
        kinds: SettingGroup.Kinds(
            key: "order",
            choices: [
                SettingGroup.Kind(
                    name: "same", about: "elements in the same order: biases, gains, embeddings", settings: []),
                SettingGroup.Kind(
                    name: "linear", about: "[outputs, inputs], as PyTorch's nn.Linear has its weight", settings: []),
                SettingGroup.Kind(
                    name: "flattened", about: "that of an nn.Linear behind an nn.Flatten of an image",
                    settings: [size("[7, 7]", "the image's height and width")]),
                SettingGroup.Kind(
                    name: "convolution", about: "[outputs, channels, height, width], as nn.Conv2d has its weight",
                    settings: [size("[3, 3]", "the kernel's height and width")]),
            ]))

    private static func size(_ example: String, _ meaning: String) -> Setting {
        Setting("size", .list(.whole(.atLeast(1))), example: example, meaning)
    }
}
