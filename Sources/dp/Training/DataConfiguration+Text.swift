import PrivateTraining

extension DataConfiguration {
    /// What the configuration of a text says, with the vocabulary read from its file.
    ///
    /// Throws `TrainingConfigurationError` for what is missing or means nothing, and `DatasetError` for a vocabulary or
    /// a number that is none.
    func textFormat() throws -> TextFormat {
        guard let vocabulary else {
            throw TrainingConfigurationError.missing(
                what: "The vocabulary of the text",
                remedy: "give --vocabulary bytes, or a public file with a token a line that was not made of the text")
        }
        guard let length = window ?? length else {
            throw TrainingConfigurationError.missing(
                what: "What the examples of the text are",
                remedy: "give --length for lines, and how many of their tokens are kept, or --window to cut all of it")
        }
        guard window == nil || self.length == nil else {
            throw TrainingConfigurationError.unused(
                what: ["length"],
                reason: "the text is cut into windows, which have a length of their own; leave one out")
        }
        guard vocabulary != Self.bytes || tokens == nil else {
            throw TrainingConfigurationError.unused(
                what: ["tokens"], reason: "the tokens are bytes; leave it out")
        }
        var names: [String]?
        switch labels {
        case nil: break
        case .names(let list)?: names = list
        case .file(let path)?:
            throw TrainingConfigurationError.unused(
                what: ["'\(path)'"], reason: "labels of a text are a list of what they can be, and no file")
        }
        let list: Vocabulary =
            if vocabulary == Self.bytes { .bytes } else {
                try Vocabulary(contentsOf: vocabulary, unit: tokens == .characters ? .characters : .words)
            }
        return try TextFormat(vocabulary: list, length: length, hasWindows: window != nil, labels: names)
    }
}
