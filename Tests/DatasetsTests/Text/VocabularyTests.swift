import Datasets
import Foundation
import Testing

@Suite struct VocabularyTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func listsAreReadFromFiles() throws {
        let words = try folder.write("\u{feff}<unk>\r\nthe\nÖl\rlast", "w.txt")
        let vocabulary = try Vocabulary(contentsOf: words, unit: .words)
        #expect(vocabulary.tokens == ["<unk>", "the", "Öl", "last"] && vocabulary.count == 4)
        #expect(vocabulary == (try Vocabulary(words: ["<unk>", "the", "Öl", "last"])))
        let compressed = try folder.write(gzipped(Array("a\nb\n".utf8)), "w.gz")
        #expect(try Vocabulary(contentsOf: compressed, unit: .words).tokens == ["a", "b"])
        let characters = try folder.write(" \n\\n\n\\t\n\\\\\nä\n<unk>\n", "c.txt")
        #expect(
            try Vocabulary(contentsOf: characters, unit: .characters).tokens == [" ", "\n", "\t", "\\", "ä", "<unk>"])
        #expect(Vocabulary.bytes.count == 256 && Vocabulary.bytes.tokens.isEmpty)
    }

    @Test func wrongListsAreRefused() throws {
        #expect(throws: TextProblem.noTokens) { try Vocabulary(words: []) }
        #expect(throws: TextProblem.emptyToken(entry: 2)) { try Vocabulary(words: ["a", "", "b"]) }
        #expect(throws: TextProblem.repeatedToken(entry: 3, token: "a")) { try Vocabulary(words: ["a", "b", "a"]) }
        #expect(throws: TextProblem.blankInToken(entry: 1, token: "a b")) { try Vocabulary(words: ["a b"]) }
        #expect(throws: TextProblem.notOneCharacter(entry: 2, token: "bc")) { try Vocabulary(characters: ["a", "bc"]) }
        // Two scalars that look like one character, and two texts that Swift calls equal.
        #expect(throws: TextProblem.notOneCharacter(entry: 1, token: "e\u{301}")) {
            try Vocabulary(characters: ["e\u{301}"])
        }
        #expect(try Vocabulary(words: ["e\u{301}", "\u{e9}"]).count == 2)
        let path = try folder.write("a\n\nb\n", "w.txt")
        #expect(throws: DatasetError.text(path: path, problem: .emptyToken(entry: 2))) {
            try Vocabulary(contentsOf: path, unit: .words)
        }
        let invalid = try folder.write([0x61, 0x0a, 0xff], "w.txt")
        #expect(throws: DatasetError.invalidUTF8(path: invalid, line: 2, column: 1)) {
            try Vocabulary(contentsOf: invalid, unit: .words)
        }
        #expect(throws: DatasetError.file(.cannotRead(path: "/nowhere", code: ENOENT))) {
            try Vocabulary(contentsOf: "/nowhere", unit: .words)
        }
        let sentence = DatasetError.text(path: path, problem: .emptyToken(entry: 2)).description
        #expect(sentence == "'\(path)': entry 2 of the vocabulary is empty: leave the line out.")
    }

    @Test func bytesHaveNoList() async {
        await #expect(processExitsWith: .failure) { _ = try Vocabulary(contentsOf: "x", unit: .bytes) }
    }

    @Test func comesBackFromJSON() throws {
        for vocabulary in [
            .bytes, try Vocabulary(words: ["a", "\"b\""]), try Vocabulary(characters: ["\n", "\u{0}"]),
        ] {
            let data = try JSONEncoder().encode(vocabulary)
            #expect(try JSONDecoder().decode(Vocabulary.self, from: data) == vocabulary)
        }
        for wrong in [
            #"{"kind": "letters"}"#, #"{"kind": "bytes", "tokens": []}"#, #"{"kind": "words", "tokens": ["a", "a"]}"#,
            #"{"kind": "words"}"#, #"{"kind": "words", "tokens": ["a"], "more": 1}"#,
        ] {
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(Vocabulary.self, from: Data(wrong.utf8)) }
        }
    }
}
