import Foundation
import Testing

@testable import Datasets

/// What is written comes back as it was, from this package's scanner and from one that knows nothing of it.
@Suite struct CSVWriterTests {
    private static let pieces = [
        "\r", "\n", "\r\n", "\"", "\"\"", ",", " ", "\t", "a", "0.5", "é", "e\u{301}", "\u{301}", "👩‍👧", "\u{feff}",
        "\u{0}", "\u{2028}", "#", ";",
    ]

    /// Records of fields put together from the pieces at random, all single pieces among them.
    private static let records: [[String]] = {
        var generator = SeededGenerator(seed: 5)
        let random = (0..<2000).map { _ in
            (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in pieces.randomElement(using: &generator)! }
                    .joined()
            }
        }
        return pieces.map { [$0] } + [[""], ["", ""]] + random
    }()

    private typealias Writer = ([String]) -> String

    /// The bytes of each field as `CSVScanner` reads them.
    private static func scanned(_ text: String) throws -> [[[UInt8]]] {
        let schema = CSVSchema(columns: [], hasHeader: false)
        return try Array(text.utf8).withUnsafeBufferPointer { bytes in
            var scanner = CSVScanner(bytes, path: "test", schema: schema)
            var records: [[[UInt8]]] = []
            while try scanner.next() {
                records.append(try scanner.fields.map { try scanner.withBytes(of: $0) { Array($0) } })
                #expect(scanner.fields.map { Array(scanner.text(of: $0).utf8) } == records.last)
            }
            return records
        }
    }

    /// A reader of RFC 4180 by bytes, which drops no blanks and takes CR, LF and CR LF for line ends.
    private static func independentlyRead(_ text: String) -> [[[UInt8]]] {
        let bytes = Array(text.utf8)
        var (records, record, field): ([[[UInt8]]], [[UInt8]], [UInt8]) = ([], [], [])
        var (position, isQuoted) = (0, false)
        while position < bytes.count {
            let byte = bytes[position]
            let next = position + 1 < bytes.count ? bytes[position + 1] : nil
            position += 1
            switch (byte, isQuoted) {
            case (0x22, true) where next == 0x22:
                field.append(byte)
                position += 1
            case (0x22, _): isQuoted.toggle()
            case (0x2c, false):
                record.append(field)
                field = []
            case (0x0a, false), (0x0d, false):
                if byte == 0x0d && next == 0x0a { position += 1 }
                records.append(record + [field])
                (record, field) = ([], [])
            default: field.append(byte)
            }
        }
        return records
    }

    /// How many records do not come back from one of the readers, each read alone.
    private static func losses(_ write: Writer) -> Int {
        records.count { record in
            let text = write(record) + "\n"
            let expected = [record.map { Array($0.utf8) }]
            return (try? scanned(text)) != expected || independentlyRead(text) != expected
        }
    }

    @Test func everyFieldComesBack() throws {
        #expect(Self.losses(CSVWriter.record) == 0)
        let text = Self.records.map { CSVWriter.record($0) + "\n" }.joined()
        #expect(try Self.scanned(text) == Self.records.map { $0.map { Array($0.utf8) } })
        #expect(Self.independentlyRead(text) == Self.records.map { $0.map { Array($0.utf8) } })
    }

    @Test func plainFieldsStandWithoutQuotes() {
        #expect(CSVWriter.record(["3", "yes", "a b", "é"]) == "3,yes,a b,é")
        #expect(CSVWriter.record(["a,b", "\u{c}", " x"]) == "\"a,b\",\u{c},\" x\"")
    }

    /// The broken twin: quoting that goes by `Character` takes CR LF for one that is neither CR nor LF.
    @Test func quotingByCharactersLosesFields() {
        let byCharacters: Writer = { fields in
            fields.map { field in
                guard field.contains(where: { ",\"\r\n".contains($0) }) else { return field }
                return "\"" + field.replacing("\"", with: "\"\"") + "\""
            }.joined(separator: ",")
        }
        #expect(Self.losses(byCharacters) > 0)
    }
}
