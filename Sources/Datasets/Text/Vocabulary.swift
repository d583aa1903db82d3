/// The tokens that a text is made of, each with its id, the place in the list.
///
/// A vocabulary **must be public**: the 256 bytes, or a list that was made without the private text, such as a
/// dictionary or the words of another corpus. A list of the words that occur in the private text tells of each person
/// whose word nobody else used, and no guarantee covers that.
///
/// - Bytes: the id is the byte.
/// - Words: what stands between white space (blanks, tabs, line ends, vertical tabs, form feeds).
/// - Characters: Unicode scalars. Line ends, of whatever kind, are line feeds.
///
/// Words and characters that are not in the list have the id of its entry ``unknown``.
public struct Vocabulary: Sendable {
    /// What a text is taken apart into.
    public enum Unit: String, Codable, CaseIterable, Sendable {
        /// Bytes, of which there are 256.
        case bytes
        /// What stands between white space.
        case words
        /// Unicode scalars.
        case characters
    }

    /// The entry that stands for all that are not in the list.
    public static let unknown = "<unk>"
    /// The 256 bytes.
    public static let bytes = Vocabulary(unit: .bytes, table: CategoryTable())

    /// What a text is taken apart into.
    public let unit: Unit
    private let table: CategoryTable
    /// The id of all that are not in the list; nil if there is none.
    private let unknownID: Int?

    private init(unit: Unit, table: CategoryTable) {
        self.unit = unit
        self.table = table
        var name = Self.unknown
        unknownID = name.withUTF8 { table.index(of: $0) }
    }

    /// A vocabulary of words.
    ///
    /// Throws ``TextProblem`` if there are none or more than 2²⁴, one is empty or has white space, or occurs twice.
    public init(words: [String]) throws(TextProblem) { try self.init(.words, words) }

    /// A vocabulary of characters, each a text of one Unicode scalar, or ``unknown``.
    ///
    /// Throws ``TextProblem`` if there are none or more than 2²⁴, one is something else, or occurs twice.
    public init(characters: [String]) throws(TextProblem) { try self.init(.characters, characters) }

    init(_ unit: Unit, _ tokens: [String]) throws(TextProblem) {
        guard !tokens.isEmpty else { throw .noTokens }
        guard tokens.count <= NumPySequences.tokenLimit else { throw .tooManyTokens(limit: NumPySequences.tokenLimit) }
        var table = CategoryTable()
        for (index, var token) in tokens.enumerated() {
            let (entry, shown) = (index + 1, token.shortened)
            if token.isEmpty { throw .emptyToken(entry: entry) }
            if unit == .words, token.utf8.contains(where: \.isTextBlank) {
                throw .blankInToken(entry: entry, token: shown)
            }
            if unit == .characters, token != Self.unknown, token.unicodeScalars.count != 1 {
                throw .notOneCharacter(entry: entry, token: shown)
            }
            let place = token.withUTF8 { table.insert($0) }
            guard place == index else { throw .repeatedToken(entry: entry, token: shown) }
        }
        self.init(unit: unit, table: table)
    }

    /// The number of ids.
    public var count: Int { unit == .bytes ? 256 : table.count }

    /// The entries in the order of their ids; none of bytes.
    public var tokens: [String] { table.texts }

    /// The id of a word or a character; nil if it is not in the list, and nothing stands for such.
    func id(of token: UnsafeBufferPointer<UInt8>) -> Int? { table.index(of: token) ?? unknownID }
}

extension Vocabulary: Equatable {
    /// Whether both give the same ids.
    public static func == (first: Vocabulary, second: Vocabulary) -> Bool {
        first.unit == second.unit && first.tokens == second.tokens
    }
}

extension UInt8 {
    /// Whether the byte is white space between words: blank, tab, line feed, vertical tab, form feed, carriage return.
    var isTextBlank: Bool { self == 0x20 || (0x09...0x0d).contains(self) }
}
