import Foundation
import PyTrees
import Testing

struct TreePathTests {
    static let texts: [([String], String)] = [
        ([], ""),
        (["dense", "kernel"], "dense/kernel"),
        (["a/b", "~", "~1"], "a~1b/~0/~01"),
        ([""], "~2"),
        (["", "", "x"], "~2/~2/x"),
        (["line\nfeed", "\r\n", "\u{0}\u{7F}\u{85}\u{2028}"], "line~u{A}feed/~u{D}~u{A}/~u{0}~u{7F}~u{85}~u{2028}"),
        (["\u{301}", "\u{338}x"], "\u{301}/\u{338}x"),
        ([" ", "é", "{}"], " /é/{}"),
    ]

    @Test(arguments: texts)
    func textAndKeysAgree(keys: [String], text: String) throws {
        let path = TreePath(keys)
        #expect(path.description.utf8.elementsEqual(text.utf8))
        let parsed = try #require(TreePath(text as String))
        #expect(parsed.keys.map { Array($0.utf8) } == keys.map { Array($0.utf8) })
        #expect(try throughJSON(path) == path)
    }

    @Test(arguments: [
        "/", "/a", "a/", "a//b", "~", "~3", "a~2", "~2a", "~2~2", "~u", "~u{", "~u{}", "~u{G}", "~u{D800}", "~u{a}",
        "~u{0A}", "~u{61}", "~u{A", "line\nfeed", "\r\n", "~u{FFFFFFFFF}", "~u{+A}",
    ])
    func otherSpellingsDoNotParse(text: String) {
        #expect(TreePath(text as String) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([TreePath].self, from: JSONEncoder().encode([text]))
        }
    }

    @Test func randomKeysComeBackOnOneLine() {
        var generator = SeededGenerator(seed: 2)
        let alphabet: [Unicode.Scalar] = ["/", "~", "u", "{", "}", "A", "0", "1", "2", "\n", "\r", " ", "\u{301}", "é"]
        for _ in 0..<2000 {
            let keys = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                var key = String.UnicodeScalarView()
                for _ in 0..<Int.random(in: 0...5, using: &generator) {
                    key.append(alphabet.randomElement(using: &generator)!)
                }
                return String(key)
            }
            let text = TreePath(keys).description
            #expect(!text.unicodeScalars.contains { $0 == "\n" || $0 == "\r" })
            #expect(TreePath(text)?.keys == keys)
        }
    }

    @Test func orderIsByKeysAndParentsComeFirst() {
        let sorted: [TreePath] = ["", "a", "a/b", "a/b/c", "a/c", "a!", "b"]
        #expect(sorted.shuffled().sorted() == sorted)
        // Control: by text, "a!" would come before "a/b".
        #expect(sorted.map(\.description).sorted() != sorted.map(\.description))
    }

    @Test func prefixesAreWholeKeys() {
        let path: TreePath = "dense/kernel"
        #expect(TreePath.root.isPrefix(of: path))
        #expect(TreePath("dense").isPrefix(of: path))
        #expect(path.isPrefix(of: path))
        #expect(!TreePath("dens").isPrefix(of: path))
        #expect(!path.isPrefix(of: "dense"))
        #expect(TreePath("dense").appending("kernel") == path)
        #expect(TreePath.root.appending("a/b") == TreePath(["a/b"]))
    }

    @Test func malformedLiteralsTrap() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let path: TreePath = "a//b"
            print(path)
        }
        #if DEBUG
            let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(message.contains("\"a//b\" is not a path"))
        #endif
    }
}
