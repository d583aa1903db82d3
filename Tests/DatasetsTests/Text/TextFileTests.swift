import Datasets
import LinearAlgebra
import Testing

@Suite struct TextFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func rows(_ matrix: Matrix) -> [[Int]] {
        (0..<matrix.rows).map { row in (0..<matrix.columns).map { Int(matrix[row, $0]) } }
    }

    private func read(_ text: String, _ format: TextFormat, isLabelled: Bool = true) throws -> InMemoryDataset {
        try TextFile(try folder.write(text, "t.txt"), format: format, isLabelled: isLabelled).dataset
    }

    private func targets(_ dataset: InMemoryDataset) throws -> [[Int]] {
        guard case .values(let values) = dataset.targets else {
            Issue.record("\(dataset.targets)")
            return []
        }
        return rows(values)
    }

    @Test func linesOfBytes() throws {
        let dataset = try read("ab\r\n\u{e9}\rabcde", try TextFormat(vocabulary: .bytes, length: 4))
        #expect(rows(dataset.inputs) == [[97, 98, -1, -1], [0xc3, 0xa9, -1, -1], [97, 98, 99, 100]])
        #expect(dataset.lengths == [2, 2, 4] && dataset.notCovered.isEmpty)
        // The next token of the same example: of a line that was cut off, the last position's is not known.
        #expect(try targets(dataset) == [[98, -1, -1, -1], [0xa9, -1, -1, -1], [98, 99, 100, -1]])
    }

    @Test func linesOfWords() throws {
        let words = try Vocabulary(words: ["<unk>", "the", "cat"])
        let dataset = try read("the  cat\tsat \n cat\n", try TextFormat(vocabulary: words, length: 3))
        #expect(rows(dataset.inputs) == [[1, 2, 0], [2, -1, -1]] && dataset.lengths == [3, 1])
        #expect(dataset.notCovered.count == 1)
    }

    @Test func linesOfCharacters() throws {
        let characters = try Vocabulary(characters: ["a", "é", "<unk>", "😀"])
        let dataset = try read("\u{feff}éa😀z", try TextFormat(vocabulary: characters, length: 5))
        #expect(rows(dataset.inputs) == [[1, 0, 3, 2, -1]] && dataset.lengths == [4])
    }

    /// Line ends of every kind are one line feed; the last window is as long as what is left.
    @Test(arguments: ["\n", "\r\n", "\r"])
    func windows(_ end: String) throws {
        let text = "ab\(end)cd\(end)"
        let bytes = try read(text, try TextFormat(vocabulary: .bytes, length: 4, hasWindows: true))
        #expect(rows(bytes.inputs) == [[97, 98, 10, 99], [100, 10, -1, -1]] && bytes.lengths == [4, 2])
        // The last position's next token is another example's.
        #expect(try targets(bytes) == [[98, 10, 99, -1], [10, -1, -1, -1]])
        let characters = try Vocabulary(characters: ["\n", "a", "b", "c", "d"])
        let dataset = try read(text, try TextFormat(vocabulary: characters, length: 4, hasWindows: true))
        #expect(rows(dataset.inputs) == [[1, 2, 0, 3], [4, 0, -1, -1]] && dataset.notCovered.count == 2)
        let words = try Vocabulary(words: ["cd", "ab"])
        let window = try TextFormat(vocabulary: words, length: 1, hasWindows: true)
        #expect(rows(try read("\(end) " + text, window).inputs) == [[1], [0]])
    }

    @Test func labels() throws {
        let format = try TextFormat(vocabulary: .bytes, length: 3, labels: ["ham", "spam"])
        let dataset = try read("spam\ta\tb\nham\tb\r\n", format)
        #expect(rows(dataset.inputs) == [[97, 9, 98], [98, -1, -1]])
        #expect(dataset.targets == .classes([1, 0], classCount: 2))
        let bare = try read("a\tb\nb\n", format, isLabelled: false)
        #expect(bare.inputs == dataset.inputs && bare.targets == .values(Matrix(rows: 2, columns: 0)))
    }

    @Test func compressedFilesAreRead() throws {
        let path = try folder.write(gzipped(Array("ab\nc".utf8)), "t.gz")
        let dataset = try TextFile(path, format: try TextFormat(vocabulary: .bytes, length: 2)).dataset
        #expect(rows(dataset.inputs) == [[97, 98], [99, -1]])
    }

    private func expect(_ error: DatasetError, _ bytes: [UInt8], _ format: TextFormat) throws {
        let path = try folder.write(bytes, "t.txt")
        #expect(throws: error) { try TextFile(path, format: format) }
        #expect(!error.description.utf8.contains { $0 < 0x20 })
    }

    /// Everything that can be wrong is found with its line, also behind what is kept of a line.
    @Test func whatIsWrongIsFound() throws {
        let path = folder("t.txt")
        func problem(_ problem: TextProblem) -> DatasetError { .text(path: path, problem: problem) }
        let bytes = try TextFormat(vocabulary: .bytes, length: 2)
        let words = try TextFormat(vocabulary: Vocabulary(words: ["a", "b"]), length: 2)
        let characters = try TextFormat(vocabulary: Vocabulary(characters: ["a", "b"]), length: 2)
        let labelled = try TextFormat(vocabulary: .bytes, length: 2, labels: ["x", "y"])
        try expect(problem(.emptyLine(2)), Array("a\r\n\r\nb\n".utf8), bytes)
        try expect(problem(.emptyLine(2)), Array("a\n \t\nb".utf8), words)
        try expect(problem(.unknownToken(line: 2, token: "c")), Array("a\na b c\n".utf8), words)
        try expect(problem(.unknownToken(line: 1, token: "\u{c}")), Array("ab\u{c}".utf8), characters)
        try expect(problem(.missingTab(line: 2)), Array("x\ta\ny a\n".utf8), labelled)
        try expect(problem(.emptyLine(1)), Array("x\t\n".utf8), labelled)
        try expect(
            .unknownLabel(path: path, line: 2, column: "label", text: "z", classes: ["x", "y"]),
            Array("x\ta\nz\ta\n".utf8), labelled)
        try expect(.invalidUTF8(path: path, line: 2, column: 3), Array("a\nab".utf8) + [0xff], characters)
        try expect(.invalidUTF8(path: path, line: 1, column: 2), Array("a".utf8) + [0xc3], words)
        try expect(.noExamples(path: path), [], bytes)
        let window = try TextFormat(vocabulary: Vocabulary(words: ["a"]), length: 2, hasWindows: true)
        try expect(.noExamples(path: path), Array(" \n ".utf8), window)
        try expect(problem(.unknownToken(line: 3, token: "b")), Array("a\na a\nb".utf8), window)
        let large = try folder.write("a\nb\nc\n", "t.txt")
        #expect(throws: DatasetError.tooLarge(path: large, examples: 3, features: 2, limit: 23)) {
            try TextFile(large, format: bytes, limit: 23)
        }
        #expect(try TextFile(large, format: bytes, limit: 24).dataset.count == 3)
    }

    /// The property: a line's row, length and targets are the same whatever the other lines are.
    private func ignoresOtherLines(_ read: (String) throws -> InMemoryDataset) throws -> Bool {
        var seen: Set<[UInt32]> = []
        for others in ["b", "bbbbbbbbbb", "abc\nb", "aaaa\nc"] {
            let dataset = try read(try folder.write("abc\n\(others)\n", "t.txt"))
            guard case .values(let next) = dataset.targets else { return false }
            let row = (0..<dataset.featureCount).flatMap { [dataset.inputs[0, $0].bitPattern, next[0, $0].bitPattern] }
            seen.insert(row + [UInt32(dataset.lengths?[0] ?? 0)])
        }
        return seen.count == 1
    }

    @Test func anExampleIsAFunctionOfItsLine() throws {
        let format = try TextFormat(vocabulary: .bytes, length: 5)
        #expect(try ignoresOtherLines { try TextFile($0, format: format).dataset })
        // A broken twin whose vocabulary is made of the text, the rarest character first.
        let isIndependent = try ignoresOtherLines { path in
            let text = try String(contentsOfFile: path, encoding: .utf8)
            var counts: [String: Int] = [:]
            for character in text where character != "\n" { counts[String(character), default: 0] += 1 }
            let characters = counts.keys.sorted { (counts[$0]!, $0) < (counts[$1]!, $1) }
            let format = try TextFormat(vocabulary: Vocabulary(characters: characters), length: 5)
            return try TextFile(path, format: format).dataset
        }
        #expect(!isIndependent)
    }
}
