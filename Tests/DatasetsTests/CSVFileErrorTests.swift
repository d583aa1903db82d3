import Datasets
import Foundation
import Testing

@Suite struct CSVFileErrorTests {
    private let folder: TemporaryFolder
    private let schema = CSVSchema(
        columns: [.init("x", .numeric(.init(lower: 0, upper: 1))), .init("y", .label(classes: ["a", "b"]))],
        hasHeader: false)

    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder("data.csv") }

    private func expect(_ error: DatasetError, from bytes: [UInt8], _ schema: CSVSchema? = nil) throws {
        let path = try folder.write(bytes, "data.csv")
        #expect(throws: error) { try CSVFile(path, schema: schema ?? self.schema) }
        #expect(error.description.contains("'"))
        #expect(!error.description.utf8.contains { $0 < 0x20 })
    }

    private func expect(_ error: DatasetError, from text: String, _ schema: CSVSchema? = nil) throws {
        try expect(error, from: Array(text.utf8), schema)
    }

    @Test func raggedRows() throws {
        try expect(.raggedRow(path: path, line: 2, fields: 3, expected: 2), from: "1,a\n1,a,\n")
        try expect(.raggedRow(path: path, line: 4, fields: 1, expected: 2), from: "\"1\",a\n\n\n1\n")
        // Nothing may be read before all is known to be well formed: the label of line 1 is unknown too.
        try expect(.raggedRow(path: path, line: 2, fields: 1, expected: 2), from: "1,c\n1\n")
    }

    @Test func texts() throws {
        for text in ["one", "0x10", "nan", "inf", "1e999", "1,5", "--1", "1e", "."] {
            try expect(
                .notANumber(path: path, line: 2, column: "x", text: text), from: "1,a\n\"\(text)\",b\n")
        }
        try expect(
            .unknownLabel(path: path, line: 3, column: "y", text: "A", classes: ["a", "b"]), from: "\n1,a\n1,A\n")
        // A long text is cut off.
        let long = String(repeating: "x", count: 1000)
        try expect(.notANumber(path: path, line: 1, column: "x", text: String(long.prefix(40))), from: "\(long),a")
    }

    @Test func quotes() throws {
        try expect(.unterminatedQuote(path: path, line: 2, column: 3), from: "1,a\n1,\"a\n1,b\n")
        try expect(.misplacedQuote(path: path, line: 1, column: 4), from: "1,a\"\n")
        try expect(.misplacedQuote(path: path, line: 2, column: 5), from: "1,a\n1,\"a\"b\n")
        // A doubled quote is no end.
        try expect(.unterminatedQuote(path: path, line: 1, column: 3), from: "1,\"a\"\"\n")
    }

    @Test(arguments: [
        [0x80], [0xc0, 0x80], [0xc3], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x80, 0x80, 0x80],
        [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82], [0xff],
    ])
    func invalidUTF8(_ bytes: [UInt8]) throws {
        try expect(.invalidUTF8(path: path, line: 2, column: 3), from: Array("1,a\n1,".utf8) + bytes)
        try expect(
            .invalidUTF8(path: path, line: 2, column: 5), from: Array("1,a\n1,é".utf8) + bytes + Array("\n".utf8))
    }

    /// The control of the test before: what is UTF-8 is read, whatever its scalars' length.
    @Test func validUTF8() throws {
        var schema = schema
        schema.columns[0].kind = .categorical(["é", "€", "\u{10ffff}", "\u{d7ff}\u{e000}", "naïve café, ok"])
        let path = try folder.write("é,a\n€,a\n\u{10ffff},a\n\u{d7ff}\u{e000},b\n\"naïve café, ok\",b", "data.csv")
        #expect(try CSVFile(path, schema: schema).dataset.count == 5)
    }

    @Test func controlCharactersAreNotPrinted() throws {
        var schema = schema
        schema.hasHeader = true
        for (text, escape) in [("\u{1b}[31m", "\\u{1b}[31m"), ("a\rb", "a\\rb"), ("a\r\nb", "a\\r\\nb")] {
            try expect(.notANumber(path: path, line: 1, column: "x", text: text), from: "\"\(text)\",a\n")
            try expect(
                .headerMismatch(path: path, column: text, problem: .unexpected), from: "x,y,\"\(text)\"\n", schema)
            let errors: [DatasetError] = [
                .unknownLabel(path: path, line: 1, column: "y", text: "c", classes: ["a", text]),
                .openSchema(columns: [text]), .invalidSchema(column: text, problem: "is wrong."),
                .file(.cannotRead(path: text, code: ENOENT)),
                .file(.tensors(path: path, problem: .missingTensor(text))),
            ]
            for error in errors { #expect(error.description.contains(escape), "\(error)") }
        }
    }

    @Test func tooManyColumns() throws {
        try expect(
            .tooManyColumns(path: path, line: 1, limit: 100_000),
            from: Array(repeatElement(UInt8(ascii: ","), count: 1_000_000)))
    }

    @Test func nothingToRead() throws {
        try expect(.noExamples(path: path), from: "")
        try expect(.noExamples(path: path), from: "\n  \n\n")
        var schema = schema
        schema.hasHeader = true
        try expect(.noExamples(path: path), from: "x,y\n", schema)
        try expect(.noExamples(path: path), from: "", schema)
        let none = folder("none.csv")
        #expect(throws: DatasetError.file(.cannotRead(path: none, code: ENOENT))) {
            try CSVFile(none, schema: schema)
        }
    }

    @Test func headers() throws {
        var schema = schema
        schema.hasHeader = true
        try expect(.headerMismatch(path: path, column: "z", problem: .unexpected), from: "x,y,z\n1,a,1\n", schema)
        try expect(.headerMismatch(path: path, column: "x", problem: .duplicate), from: "x,y,x\n1,a,1\n", schema)
        try expect(.headerMismatch(path: path, column: "y", problem: .missing), from: "x\n1\n", schema)
    }
}
