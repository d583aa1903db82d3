import Datasets
import Foundation
import Testing

@Suite struct CSVSkeletonTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func namesTheColumns() throws {
        let path = try folder.write("age,\"job, \"\"title\"\"\", x\\y ,\"two\nlines\"\n1,2,3,4\n", "x.csv")
        let text = try CSVSchema.skeleton(forHeaderOf: path)
        #expect(
            text == #"""
                {
                  "columns": [
                    {"name": "age", "kind": "?"},
                    {"name": "job, \"title\"", "kind": "?"},
                    {"name": "x\\y", "kind": "?"},
                    {"name": "two\u000alines", "kind": "?"}
                  ]
                }

                """#)
        // Nothing that reads schemas takes it; with kinds in their place, it is one.
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(CSVSchema.self, from: Data(text.utf8)) }
        let filled = text.replacing("\"?\"", with: "\"numeric\", \"lower\": 0, \"upper\": 9")
        let schema = try JSONDecoder().decode(CSVSchema.self, from: Data(filled.utf8))
        #expect(try CSVFile(path, schema: schema).dataset.featureCount == 4)
    }

    @Test func otherSeparatorsAreWrittenDown() throws {
        let path = try folder.write("a;b\n1;2\n", "x.csv")
        let text = try CSVSchema.skeleton(forHeaderOf: path, separator: ";")
        #expect(text.contains("\"separator\": \";\"") && text.contains("\"name\": \"b\""))
        let compressed = try folder.write(gzipped(Array("a;b\n1;2\n".utf8)), "x.csv.gz")
        #expect(try CSVSchema.skeleton(forHeaderOf: compressed, separator: ";") == text)
    }

    /// The property: files with the same header have the same skeleton, byte for byte, whatever their values are.
    private func isBlind(_ skeleton: (String) throws -> String) throws -> Bool {
        let headers = ["a,b\n", "a,b\r\n", "\u{feff}a,b\n"]
        let values = ["", "1,2\n", "x,\"y\n", "1\n2,3,4\n", "9,9\n" + String(repeating: "7,7\n", count: 50_000)]
        var seen: Set<String> = []
        for (index, header) in headers.enumerated() {
            for value in values {
                seen.insert(try skeleton(try folder.write(header + value, "x.csv")))
                guard index == 0 else { continue }
                let bytes = Array((header + value).utf8) + [0xff, 0]
                seen.insert(try skeleton(try folder.write(bytes, "x.csv")))
                seen.insert(try skeleton(try folder.write(gzipped(bytes), "x.csv")))
            }
        }
        return seen.count == 1
    }

    @Test func valuesAreNotLookedAt() throws {
        #expect(try isBlind { try CSVSchema.skeleton(forHeaderOf: $0) })
        // The broken twin calls a column numeric where its first value is a number.
        let isTwinBlind = try isBlind { path in
            let text = try CSVSchema.skeleton(forHeaderOf: path)
            let bytes = try FileContents.readInflating(path)
            let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            let isNumeric = lines.count > 1 && Double(lines[1].prefix { $0 != "," }) != nil
            return isNumeric ? text.replacing("?", with: "numeric") : text
        }
        #expect(!isTwinBlind)
    }

    @Test func wrongHeadersAreRefused() throws {
        let twice = try folder.write("a,a\n", "x.csv")
        #expect(throws: DatasetError.headerMismatch(path: twice, column: "a", problem: .duplicate)) {
            try CSVSchema.skeleton(forHeaderOf: twice)
        }
        let empty = try folder.write("\n\n", "x.csv")
        #expect(throws: DatasetError.noExamples(path: empty)) { try CSVSchema.skeleton(forHeaderOf: empty) }
        let invalid = try folder.write(Array("\na,".utf8) + [0xff, 0x0a], "x.csv")
        #expect(throws: DatasetError.invalidUTF8(path: invalid, line: 2, column: 3)) {
            try CSVSchema.skeleton(forHeaderOf: invalid)
        }
        #expect(throws: DatasetError.self) { try CSVSchema.skeleton(forHeaderOf: twice, separator: ", ") }
        #expect(throws: DatasetError.file(.cannotRead(path: "/nowhere", code: ENOENT))) {
            try CSVSchema.skeleton(forHeaderOf: "/nowhere")
        }
    }
}
