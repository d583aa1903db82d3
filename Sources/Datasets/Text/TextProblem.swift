import Requirements

/// What can be wrong with a text file or with a vocabulary.
///
/// Payloads hold places and the offending text, cut off after 40 characters: they are meant for those who may see the
/// data.
public enum TextProblem: Error, Equatable, Sendable {
    /// A line holds no token.
    case emptyLine(Int)
    /// A line has no tab behind its label.
    case missingTab(line: Int)
    /// A token is not in the vocabulary, which has no entry for unknown ones.
    case unknownToken(line: Int, token: String)

    // MARK: Vocabularies, whose entries count from 1

    /// A vocabulary has no entries.
    case noTokens
    /// A vocabulary has more entries than there are ids.
    case tooManyTokens(limit: Int)
    /// An entry is empty.
    case emptyToken(entry: Int)
    /// An entry occurs before.
    case repeatedToken(entry: Int, token: String)
    /// An entry among words has white space, which no word has.
    case blankInToken(entry: Int, token: String)
    /// An entry among characters is not one of them.
    case notOneCharacter(entry: Int, token: String)
}

extension TextProblem: CustomStringConvertible {
    /// What was found, what is allowed, and the remedy. Control characters of the file's text are escaped.
    public var description: String { sentence.printable }

    private var sentence: String {
        switch self {
        case .emptyLine(let line):
            "line \(line) has no token, but an example must have one: leave the line out."
        case .missingTab(let line):
            "line \(line) must be a label, a tab and a text, but has no tab: correct it, or give no labels."
        case .unknownToken(let line, let token):
            "line \(line) has \"\(token)\", which is not in the vocabulary. Add it, or the entry "
                + "\(Vocabulary.unknown), which stands for all that are not."
        case .noTokens:
            "the vocabulary is empty, but must have an entry a line."
        case .tooManyTokens(let limit):
            "the vocabulary has more than \(limit) entries, which is as many ids as there are: leave rare ones out."
        case .emptyToken(let entry):
            "entry \(entry) of the vocabulary is empty: leave the line out."
        case .repeatedToken(let entry, let token):
            "entry \(entry) of the vocabulary is \"\(token)\", which it has before: list each once."
        case .blankInToken(let entry, let token):
            "entry \(entry) of the vocabulary is \"\(token)\", but words have no white space: correct it, or take "
                + "characters in the place of words."
        case .notOneCharacter(let entry, let token):
            "entry \(entry) of the vocabulary is \"\(token)\", but must be one character (a Unicode scalar), one of "
                + "\\n, \\t and \\\\, or \(Vocabulary.unknown): correct it, or take words in the place of characters."
        }
    }
}
