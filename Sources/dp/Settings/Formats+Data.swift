import PrivateTraining

extension Formats {
    static let data = SettingGroup(
        "data", "Where the examples come from. Paths are relative to the working folder.", [shards],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(
                    name: "idx", about: "a folder with the four files of MNIST and its kin, plain or .gz",
                    settings: [path, classCount("10")]),
                SettingGroup.Kind(
                    name: "csv", about: "a CSV file, plain or .gz",
                    settings: [
                        path,
                        Setting(
                            "testPath", .text, absent: "no test data", example: #""test.csv""#, "a file to test on"),
                        Setting(
                            "schema", .text, absent: "only where --schema gives it", example: #""schema.json""#,
                            "the file that says what the columns mean"),
                        Setting(
                            "takesOpenRangesFromDataWithoutPrivacy", .flag, absent: "false", example: "false",
                            "take bounds and categories that the schema leaves open from the data: NOT PRIVATE"),
                        streaming,
                    ]),
                SettingGroup.Kind(
                    name: "numpy",
                    about: "a .npy file and one with its labels, or a .npz file with x_train and y_train",
                    settings: [
                        path,
                        Setting(
                            "labels", .text, absent: "they are in the .npz file", example: #""y.npy""#,
                            "the file with the labels"),
                        Setting(
                            "testPath", .text, absent: "x_test of the .npz file, or none", example: #""x-test.npy""#,
                            "a file to test on"),
                        Setting(
                            "testLabels", .text, absent: "they are in the .npz file", example: #""y-test.npy""#,
                            "the file with its labels"),
                        Setting(
                            "lengths", .text, absent: "they are in the .npz file, or examples are no sequences",
                            example: #""lengths.npy""#, "the file with the lengths of sequences"),
                        Setting(
                            "testLengths", .text, absent: "they are in the .npz file, or nowhere",
                            example: #""lengths-test.npy""#, "the same for the test data"),
                        Setting(
                            "inputs", .choice(NumPyFile.Inputs.allCases.map(\.rawValue)),
                            absent: "features, unless they are whole and have lengths", example: #""tokens""#,
                            "what the numbers are; without lengths, -1 at the end of a row of tokens is padding"),
                        classCount("labels are numbers"), streaming,
                    ]),
                SettingGroup.Kind(
                    name: "text", about: "a text file, plain or .gz: lines or windows of tokens", settings: text),
                SettingGroup.Kind(
                    name: "digits", about: "the 1,797 digits that ship with the program", settings: []),
            ]))

    private static let shards = Setting(
        "shards", .choice(DataConfiguration.Shards.allCases.map(\.rawValue)), absent: "all ranks use all of them",
        example: #""rows""#, "what each rank holds of them: rows of files that all can read, or files of its own")

    private static let streaming = Setting(
        "streaming", .flag, absent: "false", example: "true",
        "read examples from disk when they are needed; files must not be compressed, nor change")

    private static let text = [
        path,
        Setting("testPath", .text, absent: "no test data", example: #""test.txt""#, "a file to test on"),
        Setting(
            "vocabulary", .text, absent: "only where --vocabulary gives it", example: #""words.txt""#,
            "\"bytes\", or a file with a token a line: public, and not made of the text"),
        Setting(
            "tokens", .choice(DataConfiguration.Tokens.allCases.map(\.rawValue)), absent: "words",
            example: #""characters""#, "what the vocabulary's file lists; \(Vocabulary.unknown) stands for all others"),
        Setting(
            "length", .whole(.atLeast(1)), absent: "window says what an example is", example: "100",
            "how many tokens are kept of each line, which is an example"),
        Setting(
            "window", .whole(.atLeast(1)), absent: "lines are examples", example: "64",
            "the tokens of a window: the text is cut into windows, and the promise is to each of them"),
        Setting(
            "labels", .list(.text), absent: "lines have no labels", example: #"["ham", "spam"]"#,
            "the labels that there can be: a line is a label, a tab, and a text"),
        streaming,
    ]

    private static func classCount(_ absent: String) -> Setting {
        Setting(
            "classCount", .whole(.classCount), absent: absent, example: "10",
            "the number of classes: public, never taken from the data")
    }

    private static let path = Setting(
        "path", .text, absent: "only where --data gives it", example: #""data""#, "the folder or file")

    static let textFormat = SettingGroup(
        "text", "What the examples of a text file are, in a model's description.",
        [
            Setting("vocabulary", .group(vocabulary), example: #"{"kind": "bytes"}"#, "the tokens"),
            Setting("length", .whole(.atLeast(1)), example: "100", "the tokens of an example, at most"),
            Setting(
                "hasWindows", .flag, absent: "false", example: "false", "whether examples are windows, and not lines"),
            Setting(
                "labels", .list(.text), absent: "lines have no labels", example: #"["ham", "spam"]"#,
                "the labels that lines can begin with"),
        ])

    static let vocabulary = SettingGroup(
        "vocabulary", "The tokens of a text, each with its id, the place in the list.", [],
        kinds: SettingGroup.Kinds(
            key: "kind",
            choices: [
                SettingGroup.Kind(name: "bytes", about: "the 256 bytes", settings: []),
                SettingGroup.Kind(
                    name: "words", about: "what stands between white space",
                    settings: [Setting("tokens", .list(.text), example: #"["<unk>", "the"]"#, "the words")]),
                SettingGroup.Kind(
                    name: "characters", about: "Unicode scalars",
                    settings: [Setting("tokens", .list(.text), example: #"["<unk>", "a"]"#, "the characters")]),
            ]))
}
