import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct CSVFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private let schema = CSVSchema(columns: [
        .init("size", .numeric(.init(lower: 0, upper: 10))),
        .init("color", .categorical(["red", "blue, dark", "say \"hi\""])),
        .init("class", .label(classes: ["no", "yes"])),
    ])

    private func read(
        _ text: String, _ schema: CSVSchema? = nil, openRanges: CSVFile.OpenRanges = .refused
    ) throws -> CSVFile {
        try CSVFile(folder.write(text, "data.csv"), schema: schema ?? self.schema, openRanges: openRanges)
    }

    private func rows(_ file: CSVFile) -> [[Float]] {
        (0..<file.dataset.count).map { row in file.dataset.inputs.withRow(row) { row in row.indices.map { row[$0] } } }
    }

    /// A schema of one feature column and a label that is always "a" or "b", without a header.
    private func single(_ kind: CSVSchema.Kind) -> CSVSchema {
        CSVSchema(columns: [.init("x", kind), .init("y", .label(classes: ["a", "b"]))], hasHeader: false)
    }

    @Test func encodesQuotedFieldsAndLineEnds() throws {
        let texts = [
            "size,color,class\n5,red,no\n10,\"blue, dark\",yes\n0,\"say \"\"hi\"\"\",no\n",
            "size,color,class\r\n5,red,no\r\n10,\"blue, dark\",yes\r\n0,\"say \"\"hi\"\"\",no\r\n",
            "\u{feff}\"size\" , color,class\n\n 5 ,\tred , no\n10,  \"blue, dark\"  ,yes  \n   \n\"0\",\"say \"\"hi\"\"\",\"no\"",
            "size,color,class\r5,red , no\r\r10,\"blue, dark\" ,yes\r0,\"say \"\"hi\"\"\",no",
            "color,class,size\nred,no,5\n\"blue, dark\",yes,10\r\n\"say \"\"hi\"\"\",no,0\r",
        ]
        for text in texts {
            let file = try read(text)
            #expect(rows(file) == [[0.5, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]], "\(text)")
            #expect(file.dataset.targets == .classes([0, 1, 0], classCount: 2))
            #expect(file.dataset.notCovered.isEmpty)
            #expect(file.schema == schema)
        }
    }

    @Test func newlinesInsideQuotesBelongToTheField() throws {
        let lines = try read("\"one\r\ntwo\",a\n3,b\n", single(.categorical(["one\r\ntwo", "3"])))
        #expect(rows(lines) == [[1, 0], [0, 1]])
        // And lines are still counted right after them.
        #expect(
            throws: DatasetError.unknownCategory(path: folder("data.csv"), line: 4, column: "x", text: "4")
        ) { try read("\"one\r\ntwo\",a\n3,b\n4,b\n", single(.categorical(["one\r\ntwo", "3"]))) }
    }

    /// CR LF is one line end, a lone CR or LF one each, inside quotes too.
    @Test func linesAreCountedWhateverEndsThem() throws {
        let schema = single(.categorical(["1", "a\rb\r\nc\nd"]))
        for (text, line) in [
            ("1,a\r1,b\r2,b\r", 3), ("1,a\r\n1,b\r\n2,b", 3), ("1,a\r\r\n\n2,b\n", 4),
            ("\"a\rb\r\nc\nd\",a\r2,b", 5), ("\r2,b", 2),
        ] {
            #expect(
                throws: DatasetError.unknownCategory(path: folder("data.csv"), line: line, column: "x", text: "2")
            ) { try read(text, schema) }
        }
        // A comment ends where its line does.
        var commented = schema
        commented.commentPrefix = "#"
        #expect(rows(try read("# 2,b\r1,a\r#\r\n1,b", commented)) == [[1, 0], [1, 0]])
    }

    /// A quote that carries a combining mark is one `Character`, and still a quote.
    @Test func doubledQuotesAreBytes() throws {
        let file = try read("\"say \"\"\u{301}hi\"\"\",a\n", single(.categorical(["say \"\u{301}hi\""])))
        #expect(rows(file) == [[1]])
    }

    @Test func numbersAreScaledAndClamped() throws {
        let file = try read("5,a\n-3,a\n1e9,b\n", single(.numeric(.init(lower: 0, upper: 8))))
        #expect(rows(file) == [[0.625], [0], [1]])
        let log = try read(
            "0,a\n99,a\n9,b\n1000,b\n", single(.numeric(.init(lower: 0, upper: 99, isLogarithmic: true))))
        // log1p(9)/log1p(99) = ln 10/ln 100 = 1/2, to one ulp of Float64 and so to one of Float32.
        #expect(rows(log).map { $0[0] }[0..<2] == [0, 1])
        #expect(abs(rows(log)[2][0] - 0.5) <= Float(0.5).ulp)
        #expect(rows(log)[3] == [1])
    }

    @Test func missingNumbersAreFilledAndMarked() throws {
        var schema = single(.numeric(.init(lower: 0, upper: 10, fill: 4, hasIndicator: true)))
        schema.missingMarkers = ["?", "NA"]
        #expect(rows(try read("?,a\n10,a\n\"NA\",b\n", schema)) == [[0.4, 1], [1, 0], [0.4, 1]])
        // Emptiness is a marker only if it is listed.
        #expect(throws: DatasetError.notANumber(path: folder("data.csv"), line: 1, column: "x", text: "")) {
            try read(",a\n", schema)
        }
        let strict = single(.numeric(.init(lower: 0, upper: 1)))
        #expect(throws: DatasetError.missingValue(path: folder("data.csv"), line: 2, column: "x")) {
            try read("1,a\n,a\n", strict)
        }
    }

    @Test func bucketsCountTheEdgesBelow() throws {
        let file = try read("0.9,a\n1,a\n2.5,a\n,b\n", single(.buckets(edges: [1, 2], unlisted: .ownSlot)))
        #expect(rows(file) == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
        let zeros = try read("1.5,a\n,b\n", single(.buckets(edges: [1, 2], unlisted: .zeros)))
        #expect(rows(zeros) == [[0, 1, 0], [0, 0, 0]])
        #expect(throws: DatasetError.missingValue(path: folder("data.csv"), line: 1, column: "x")) {
            try read(",b\n", single(.buckets(edges: [1, 2])))
        }
    }

    @Test func unlistedCategories() throws {
        let text = "red,a\ngreen,a\n,b\n"
        #expect(rows(try read(text, single(.categorical(["red"], unlisted: .ownSlot)))) == [[1, 0], [0, 1], [0, 1]])
        #expect(rows(try read(text, single(.categorical(["red"], unlisted: .zeros)))) == [[1], [0], [0]])
        #expect(throws: DatasetError.unknownCategory(path: folder("data.csv"), line: 2, column: "x", text: "green")) {
            try read(text, single(.categorical(["red"])))
        }
        #expect(throws: DatasetError.missingValue(path: folder("data.csv"), line: 3, column: "x")) {
            try read(text, single(.categorical(["red", "green"])))
        }
    }

    @Test func commentsSeparatorsAndFullStops() throws {
        var schema = single(.numeric(.init(lower: 0, upper: 1)))
        schema.commentPrefix = "|"
        schema.separator = ";"
        schema.columns[1].kind = .label(classes: ["a", "b"], ignoresFullStop: true)
        let file = try read("|1x3 \"Cross validator\n1;a.\n  | too\n0;b\n\n", schema)
        #expect(rows(file) == [[1], [0]])
        #expect(file.dataset.targets == .classes([0, 1], classCount: 2))
        schema.columns[1].kind = .label(classes: ["a", "b"])
        #expect(
            throws: DatasetError.unknownLabel(
                path: folder("data.csv"), line: 2, column: "y", text: "a.", classes: ["a", "b"])
        ) { try read("|\n1;a.\n", schema) }
    }

    /// The number to predict is clamped and scaled by public bounds, and leads back.
    @Test func targetsAreScaledAndClamped() throws {
        var schema = CSVSchema(
            columns: [.init("x", .numeric(.init(lower: 0, upper: 1))), .init("y", .target(lower: -10, upper: 30))],
            hasHeader: false)
        let file = try read("1,0\n1,-10\n1,30\n1,-99\n1,1e9\n", schema)
        #expect(file.dataset.targets == .values(Matrix(rows: 5, columns: 1, elements: [0.25, 0, 1, 0, 1])))
        #expect(file.dataset.featureCount == 1)
        let scale = try #require(file.schema.target)
        #expect(scale.column == "y" && scale.width == 40)
        #expect([0, 0.25, 1, 1.5, -0.5].map(scale.value) == [-10, 0, 30, 50, -30])
        #expect(throws: DatasetError.targetNotANumber(path: folder("data.csv"), line: 2, column: "y", text: "inf")) {
            try read("1,0\n1,inf\n", schema)
        }
        #expect(throws: DatasetError.targetNotANumber(path: folder("data.csv"), line: 1, column: "y", text: "")) {
            try read("1,\n", schema)
        }
        // The order of the columns is the schema's.
        schema.columns.swapAt(0, 1)
        #expect(try read("30,0\n", schema).dataset.targets == .values(Matrix(rows: 1, columns: 1, elements: [1])))
    }

    @Test func ignoredColumnsMayHoldAnything() throws {
        var schema = single(.ignored)
        schema.columns.append(.init("z", .numeric(.init(lower: 0, upper: 1))))
        #expect(rows(try read("whatever,a,1\n", schema)) == [[1]])
    }

    @Test func gzipIsRead() throws {
        let path = try folder.write(gzipped("size,color,class\n5,red,no\n".utf8), "data.csv.gz")
        #expect(rows(try CSVFile(path, schema: schema)) == [[0.5, 1, 0, 0]])
        let padded = gzipped("size,color,class\n".utf8) + gzipped("5,red,no\n".utf8) + Array(repeating: 0, count: 99)
        #expect(rows(try CSVFile(folder.write(padded, "padded.csv.gz"), schema: schema)) == [[0.5, 1, 0, 0]])
    }

    @Test func theMatrixHasToFitTheLimit() throws {
        let path = try folder.write("1,a\n1,a\n", "data.csv")
        let schema = single(.buckets(edges: (1...99).map(Double.init)))
        #expect(throws: DatasetError.tooLarge(path: path, examples: 2, features: 100, limit: 799)) {
            try CSVFile(path, schema: schema, limit: 799)
        }
        #expect(try CSVFile(path, schema: schema, limit: 800).dataset.count == 2)
    }
}
