import Requirements

/// What the examples of a text file are.
///
/// Lines: each line is an example, its first ``length`` tokens. Where ``labels`` are given, a line is a label, a tab
/// and a text, and the label's place in the list is the example's class.
///
/// Windows: the text as a whole is cut every ``length`` tokens, and each window is an example. **The privacy unit is
/// then the window**: somebody whose words stand in several windows is protected in each of them, not in all of them
/// together.
///
/// Without labels, the targets are each position's next token *of the same example*, −1 (ignored) at the last position
/// and in padding: an example's targets are a function of that example alone.
///
/// Everything here is public, and never taken from the data: the vocabulary, the longest length, the labels.
public struct TextFormat: Codable, Equatable, Sendable {
    /// The tokens, and their ids.
    public let vocabulary: Vocabulary
    /// The number of positions of an example. What a line has beyond is left out.
    public let length: Int
    /// Whether the text is cut into windows, and lines mean nothing.
    public let hasWindows: Bool
    /// The labels that lines can have; nil if they have none.
    public let labels: [String]?

    private static let lengthLimit = 1_000_000

    /// Throws ``DatasetError/invalidTextFormat(name:value:allowed:)`` for a length outside 1...1,000,000, fewer than
    /// two labels, one that is there twice or holds a tab or a line end, and labels of windows.
    public init(
        vocabulary: Vocabulary, length: Int, hasWindows: Bool = false, labels: [String]? = nil
    ) throws(DatasetError) {
        guard (1...Self.lengthLimit).contains(length) else {
            throw .invalidTextFormat(
                name: hasWindows ? "window" : "length", value: "\(length)", allowed: "in 1...\(Self.lengthLimit)")
        }
        if let labels {
            guard !hasWindows else {
                throw .invalidTextFormat(
                    name: "number of labels", value: "\(labels.count)", allowed: "none: windows have no labels")
            }
            let wrong = labels.first { $0.isEmpty || $0.utf8.contains(where: { "\t\r\n".utf8.contains($0) }) }
            if let wrong {
                throw .invalidTextFormat(
                    name: "label", value: "\"\(wrong.shortened.printable)\"",
                    allowed: "a text without tabs and line ends")
            }
            guard labels.count >= 2, Set(labels).count == labels.count else {
                throw .invalidTextFormat(
                    name: "list of labels", value: "\(labels.map(\.shortened.printable))",
                    allowed: "two or more, each once")
            }
        }
        self.vocabulary = vocabulary
        self.length = length
        self.hasWindows = hasWindows
        self.labels = labels
    }

    /// What no guarantee covers, in whole sentences.
    public var notCovered: [String] {
        var sentences: [String] = []
        if vocabulary.unit != .bytes {
            sentences.append(
                "The vocabulary of \(vocabulary.count) \(vocabulary.unit) is taken to be public: were it made of the "
                    + "private text, the privacy guarantee would not cover it.")
        }
        if hasWindows {
            sentences.append(
                "The text was cut into windows of \(length) tokens, each of which is an example: the privacy guarantee "
                    + "is for each window, and does not cover somebody's words in several windows as a whole.")
        }
        return sentences
    }

    private enum CodingKeys: CodingKey, CaseIterable {
        case vocabulary, length, hasWindows, labels
    }

    /// Reads a format such as `{"vocabulary": {"kind": "bytes"}, "length": 100}`; throws what the initializer does.
    public init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownKeys(CodingKeys.self)
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            vocabulary: box.decode(Vocabulary.self, forKey: .vocabulary),
            length: box.decode(Int.self, forKey: .length),
            hasWindows: box.decodeIfPresent(Bool.self, forKey: .hasWindows) ?? false,
            labels: box.decodeIfPresent([String].self, forKey: .labels))
    }
}
