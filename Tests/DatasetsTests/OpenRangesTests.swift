import Datasets
import LinearAlgebra
import Testing

/// The guarantee that an example's encoding depends on no other example, and what happens where it is given up.
@Suite struct OpenRangesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let label = CSVSchema.Column("y", .label(classes: ["a", "b"]))
    private let open = CSVSchema(
        columns: [.init("age", .numeric(.init())), .init("town", .categorical(nil, unlisted: .ownSlot)), label],
        hasHeader: false)
    private let closed = CSVSchema(
        columns: [
            .init("age", .numeric(.init(lower: 0, upper: 100, fill: 50, hasIndicator: true))),
            .init("town", .categorical(["Ulm", "Aix"], unlisted: .ownSlot)), label,
        ], hasHeader: false)

    /// The records' schema where the last column is a number to predict.
    private func withTarget(_ schema: CSVSchema, lower: Double? = nil, upper: Double? = nil) -> CSVSchema {
        var schema = schema
        schema.columns[2] = .init("price", .target(lower: lower, upper: upper))
        return schema
    }

    private static let labelled = ["20,Ulm,a", "\"30\",Aix,b", "70,\"Rome, old\",a", "55.5,Ulm,b"]
    private static let priced = ["20,Ulm,3", "\"30\",Aix,-1e3", "70,\"Rome, old\",0.25", "55.5,Ulm,99"]

    /// The bits of each example's features and, where there are any, numbers to predict.
    private func encoded(
        _ records: [String], _ schema: CSVSchema, _ openRanges: CSVFile.OpenRanges
    ) throws -> [[UInt32]] {
        let path = try folder.write(records.joined(separator: "\n"), "data.csv")
        let dataset = try CSVFile(path, schema: schema, openRanges: openRanges).dataset
        return (0..<dataset.count).map { row in
            let features = dataset.inputs.withRow(row) { row in row.indices.map { row[$0].bitPattern } }
            guard case .values(let values) = dataset.targets[row] else { return features }
            return features + values.map(\.bitPattern)
        }
    }

    /// The property: each record, alone, is encoded bit for bit as among the others.
    private func encodingIgnoresOthers(
        _ schema: CSVSchema, _ openRanges: CSVFile.OpenRanges, of records: [String] = labelled
    ) throws -> Bool {
        let together = try encoded(records, schema, openRanges)
        for (record, among) in zip(records, together) {
            if try encoded([record], schema, openRanges) != [among] { return false }
        }
        return true
    }

    @Test func aClosedSchemaEncodesEachExampleOnItsOwn() throws {
        #expect(try encodingIgnoresOthers(closed, .refused))
        #expect(try encodingIgnoresOthers(closed, .takenFromDataWithoutPrivacy))
        let target = withTarget(closed, lower: 0, upper: 10)
        #expect(try encodingIgnoresOthers(target, .refused, of: Self.priced))
        #expect(try encodingIgnoresOthers(target, .takenFromDataWithoutPrivacy, of: Self.priced))
    }

    /// The broken twin: ranges from the data break the property, and the check sees it for each kind of column.
    @Test func rangesFromTheDataBreakTheProperty() throws {
        #expect(try !encodingIgnoresOthers(open, .takenFromDataWithoutPrivacy))
        var schema = open
        schema.columns[0].kind = closed.columns[0].kind
        #expect(try !encodingIgnoresOthers(schema, .takenFromDataWithoutPrivacy))
        schema = open
        schema.columns[1].kind = closed.columns[1].kind
        #expect(try !encodingIgnoresOthers(schema, .takenFromDataWithoutPrivacy))
        for target in [withTarget(closed), withTarget(closed, lower: 0), withTarget(closed, upper: 10)] {
            #expect(try !encodingIgnoresOthers(target, .takenFromDataWithoutPrivacy, of: Self.priced))
        }
    }

    @Test func aTargetsBoundsAreOpenAsANumbersAre() throws {
        let path = try folder.write(Self.priced.joined(separator: "\r"), "data.csv")
        let schema = withTarget(closed, upper: 100)
        #expect(throws: DatasetError.openSchema(columns: ["price"])) { try CSVFile(path, schema: schema) }
        #expect(schema.target == nil)
        let file = try CSVFile(path, schema: schema, openRanges: .takenFromDataWithoutPrivacy)
        #expect(file.schema.columns[2].kind == .target(lower: -1000, upper: 100))
        #expect(file.schema.target?.column == "price" && file.schema.target?.width == 1100)
        #expect(
            file.dataset.notCovered == [
                "The lower bound of column 'price' was taken from the data; the privacy guarantee does not cover it."
            ])
    }

    @Test func openRangesAreRefusedUnlessAskedFor() throws {
        let path = try folder.write("20,Ulm,a\n", "data.csv")
        #expect(throws: DatasetError.openSchema(columns: ["age", "town"])) { try CSVFile(path, schema: open) }
        #expect(open.openColumns == ["age", "town"])
        #expect(open.featureCount == nil)
        #expect(closed.featureCount == 5)
    }

    @Test func whatIsTakenFromTheDataIsSaid() throws {
        let path = try folder.write("20,Ulm,a\n40,Aix,b\n30,,b\n", "data.csv")
        let file = try CSVFile(path, schema: open, openRanges: .takenFromDataWithoutPrivacy)
        #expect(
            file.dataset.notCovered == [
                "The bounds of column 'age' were taken from the data; the privacy guarantee does not cover them.",
                "The categories of column 'town' were taken from the data; the privacy guarantee does not cover them.",
            ])
        #expect(file.schema.columns[0].kind == .numeric(.init(lower: 20, upper: 40)))
        // Sorted, and without the missing one.
        #expect(file.schema.columns[1].kind == .categorical(["Aix", "Ulm"], unlisted: .ownSlot))
        #expect(
            file.dataset.inputs
                == Matrix(rows: 3, columns: 4, elements: [0, 0, 1, 0, 1, 1, 0, 0, 0.5, 0, 0, 1]))

        // A further file is read with what the first one gave, and then takes nothing more.
        let test = try folder.write("50,Bonn,a\n", "test.csv")
        let further = try CSVFile(test, schema: file.schema)
        #expect(further.dataset.inputs == Matrix(rows: 1, columns: 4, elements: [1, 0, 0, 1]))
        #expect(further.dataset.notCovered.isEmpty)
    }

    @Test func oneBoundMayBeOpen() throws {
        var schema = open
        schema.columns[1].kind = .ignored
        let path = try folder.write("20,Ulm,a\n40,Aix,b\n", "data.csv")
        for (numeric, expected, what) in [
            (CSVSchema.Numeric(lower: 0), (0.0, 40.0), "upper bound"),
            (CSVSchema.Numeric(upper: 100), (20.0, 100.0), "lower bound"),
            // All data lie beyond the bound that is given.
            (CSVSchema.Numeric(lower: 50), (50.0, 51.0), "upper bound"),
            (CSVSchema.Numeric(upper: 10), (9.0, 10.0), "lower bound"),
        ] {
            schema.columns[0].kind = .numeric(numeric)
            let file = try CSVFile(path, schema: schema, openRanges: .takenFromDataWithoutPrivacy)
            #expect(file.schema.columns[0].kind == .numeric(.init(lower: expected.0, upper: expected.1)))
            #expect(
                file.dataset.notCovered == [
                    "The \(what) of column 'age' was taken from the data; the privacy guarantee does not cover it."
                ])
        }
    }

    @Test func aConstantColumnStaysReadable() throws {
        var schema = open
        schema.columns[1].kind = .ignored
        let path = try folder.write("7,Ulm,a\n7,Aix,b\n", "data.csv")
        let file = try CSVFile(path, schema: schema, openRanges: .takenFromDataWithoutPrivacy)
        #expect(file.dataset.inputs == Matrix(rows: 2, columns: 1))
    }

    @Test func tooManyCategoriesAreAnError() throws {
        let path = try folder.write((0...10_000).map { "1,t\($0),a" }.joined(separator: "\n"), "data.csv")
        #expect(throws: DatasetError.tooManyCategories(path: path, column: "town", limit: 10_000)) {
            try CSVFile(path, schema: open, openRanges: .takenFromDataWithoutPrivacy)
        }
    }
}
