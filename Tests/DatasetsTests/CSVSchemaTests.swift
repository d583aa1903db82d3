import Datasets
import Foundation
import LinearAlgebra
import Testing

@Suite struct CSVSchemaTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private let schema = CSVSchema(
        columns: [
            .init("a", .numeric(.init(lower: 0, upper: 1, isLogarithmic: true, fill: 0.5, hasIndicator: true))),
            .init("b", .numeric(.init())),
            .init("c", .buckets(edges: [1, 2], unlisted: .zeros)),
            .init("d", .categorical(["x", "y"], unlisted: .ownSlot)),
            .init("e", .categorical(nil)),
            .init("f", .ignored),
            .init("g", .label(classes: ["n", "p"], ignoresFullStop: true)),
        ], hasHeader: false, separator: ";", commentPrefix: "#", missingMarkers: ["?", ""])

    @Test func survivesJSON() throws {
        let data = try JSONEncoder().encode(schema)
        #expect(try JSONDecoder().decode(CSVSchema.self, from: data) == schema)
        let path = try folder.write(data, "schema.json")
        #expect(try CSVSchema(contentsOf: path) == schema)
        var regression = schema
        for kind in [CSVSchema.Kind.target(lower: -1, upper: 2.5), .target(upper: 3), .target()] {
            regression.columns[6].kind = kind
            let data = try JSONEncoder().encode(regression)
            #expect(try JSONDecoder().decode(CSVSchema.self, from: data) == regression)
        }
        // The control: equality tells schemas apart by their smallest part.
        var other = schema
        other.columns[6].kind = .label(classes: ["n", "p"])
        #expect(other != schema)
    }

    @Test func defaultsMayBeLeftOut() throws {
        let text = """
            {"columns": [{"name": "a", "kind": "numeric", "upper": 1},
                         {"name": "g", "kind": "label", "classes": ["n", "p"]}]}
            """
        let short = try JSONDecoder().decode(CSVSchema.self, from: Data(text.utf8))
        #expect(
            short
                == CSVSchema(columns: [
                    .init("a", .numeric(.init(upper: 1))), .init("g", .label(classes: ["n", "p"])),
                ]))
    }

    @Test(arguments: [
        (#"{"columns": [], "header": true}"#, "There is no setting 'header'"),
        (#"{"columns": [{"name": "a", "kind": "numeric", "uper": 1}]}"#, "at columns/0/uper, There is no setting"),
        (#"{"columns": [{"name": "a", "kind": "ignored", "lower": 1}]}"#, "There is no setting 'lower'"),
        (#"{"columns": [{"name": "a", "kind": "text"}]}"#, "columns/0/kind"),
        (#"{"columns": [{"name": "a", "kind": "target", "fill": 1}]}"#, "There is no setting 'fill'"),
        (#"{"columns": "#, "cannot be read"),
    ])
    func malformedJSON(_ text: String, _ words: String) throws {
        let path = try folder.write(text, "schema.json")
        let error = #expect(throws: DatasetError.self) { try CSVSchema(contentsOf: path) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.description.contains(path) == true)
    }

    private func expectInvalid(_ column: String?, _ change: (inout CSVSchema) -> Void) {
        var schema = schema
        change(&schema)
        let error = #expect(throws: DatasetError.self) { try schema.validate() }
        guard case .invalidSchema(column, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func contradictionsAreFound() throws {
        try schema.validate()
        for numeric in [
            CSVSchema.Numeric(lower: 1, upper: 1), .init(lower: 2, upper: 1), .init(lower: .nan, upper: 1),
            .init(lower: 0, upper: .infinity), .init(lower: -1e308, upper: 1e308), .init(fill: .nan),
            .init(lower: -1, upper: 1, isLogarithmic: true), .init(lower: 0, upper: 1, hasIndicator: true),
        ] { expectInvalid("a") { $0.columns[0].kind = .numeric(numeric) } }
        for edges in [[], [1, 1], [2, 1], [.nan], [0, .infinity]] as [[Double]] {
            expectInvalid("c") { $0.columns[2].kind = .buckets(edges: edges) }
        }
        for categories in [[], ["x", "x"]] { expectInvalid("d") { $0.columns[3].kind = .categorical(categories) } }
        for classes in [[], ["x"], ["x", "x"]] { expectInvalid("g") { $0.columns[6].kind = .label(classes: classes) } }
        for (lower, upper) in [(1, 1), (2, 1), (.nan, 1), (0, .infinity), (-1e308, 1e308)] as [(Double?, Double?)] {
            expectInvalid("g") { $0.columns[6].kind = .target(lower: lower, upper: upper) }
        }
        expectInvalid(nil) { $0.columns.append(.init("h", .target(lower: 0, upper: 1))) }
        expectInvalid("b") { $0.columns[5].name = "b" }
        expectInvalid(nil) { $0.columns.append(.init("h", .label(classes: ["n", "p"]))) }
        expectInvalid(nil) { $0.columns.removeFirst(5) }
        for separator in ["", ",,", "\"", "\n", " ", "é"] { expectInvalid(nil) { $0.separator = separator } }
        for prefix in ["", "\"", " #"] { expectInvalid(nil) { $0.commentPrefix = prefix } }
    }

    @Test func filesWithoutLabelsAreReadForPredictions() throws {
        let labelled = CSVSchema(
            columns: [.init("a", .numeric(.init(lower: 0, upper: 2))), .init("b", .label(classes: ["n", "p"]))],
            hasHeader: false)
        let anything = try CSVFile(
            folder.write("1,?!\n2,n\n", "anything.csv"), schema: labelled.withoutLabel(hasColumn: true)
        ).dataset
        let absent = try CSVFile(
            folder.write("1\n2\n", "absent.csv"), schema: labelled.withoutLabel(hasColumn: false)
        ).dataset
        var regression = labelled
        regression.columns[1].kind = .target(lower: 0, upper: 1)
        let numbers = try CSVFile(
            folder.write("1,?!\n2,\n", "numbers.csv"), schema: regression.withoutLabel(hasColumn: true)
        ).dataset
        for dataset in [anything, absent, numbers] {
            #expect(dataset.inputs == Matrix(rows: 2, columns: 1, elements: [0.5, 1]))
            #expect(dataset.targets == .values(Matrix(rows: 2, columns: 0)))
        }
        #expect(throws: DatasetError.self) {
            try CSVFile(folder.write("1\n", "absent.csv"), schema: labelled.withoutLabel(hasColumn: true))
        }
    }

    @Test func readersCheckTheSchema() throws {
        let path = try folder.write("1,n\n", "data.csv")
        #expect(throws: DatasetError.self) { try CSVFile(path, schema: CSVSchema(columns: [])) }
    }

    /// Records of the UCI "Adult" set (Becker, Kohavi, CC BY 4.0), with the traits of both its files.
    @Test func theAdultRecipeReadsAdult() throws {
        let recipe = URL(fileURLWithPath: #filePath).appending(path: "../../../Benchmarks/Recipes/adult-schema.json")
        let adult = try CSVSchema(contentsOf: recipe.standardized.path)
        // 6 numbers, and 9 + 16 + 7 + 15 + 6 + 5 + 2 + 42 categories with a slot for "?" where the set has any.
        #expect(adult.featureCount == 108)
        #expect(adult.openColumns.isEmpty)
        let text = """
            |1x3 Cross validator
            39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, United-States, <=50K
            54, ?, 180211, Some-college, 10, Married-civ-spouse, ?, Husband, Asian-Pac-Islander, Male, 0, 0, 60, South, >50K.

            """
        let dataset = try CSVFile(folder.write(text, "adult"), schema: adult).dataset
        #expect(dataset.targets == .classes([0, 1], classCount: 2))
        let (inputs, scale) = (dataset.inputs, Float(73))
        #expect(inputs[0, 0] == 22 / scale && inputs[1, 0] == 37 / scale)
        // State-gov is the sixth class of work; the ninth stands for those that are missing.
        #expect(inputs[0, 1 + 5] == 1 && inputs[1, 1 + 8] == 1)
        // Each of the eight categorical columns is in one slot.
        for row in 0..<2 {
            let ones = (0..<108).count { inputs[row, $0] == 1 }
            #expect(ones == 8)
        }
    }
}
