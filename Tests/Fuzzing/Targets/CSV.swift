import Datasets

extension FuzzTarget {
    /// Files under one of three schemas, which the first byte chooses. What is read from disk piece by piece is what is
    /// read at once.
    static let csv = FuzzTarget(name: "csv") { bytes in
        guard let choice = bytes.first else { return }
        let schema = schemas[Int(choice) % schemas.count]
        let path = ScratchFile.holding(bytes.dropFirst())
        let file: CSVFile
        do throws(DatasetError) {
            file = try CSVFile(path, schema: schema, openRanges: .takenFromDataWithoutPrivacy, limit: fileLimit)
        } catch {
            if (try? StreamedCSVFile(path, schema: schema, openRanges: .takenFromDataWithoutPrivacy)) != nil {
                fatalError("A file is refused, and streamed: \(error)")
            }
            throw error
        }
        do {
            let streamed = try StreamedCSVFile(path, schema: schema, openRanges: .takenFromDataWithoutPrivacy)
            let examples = try streamed.examples(at: Array(0..<streamed.count))
            expect(examples.inputs == file.dataset.inputs, "A streamed file has other features.")
        } catch DatasetError.cannotStream {
        }
    }

    private static let schemas = [
        CSVSchema(columns: [
            CSVSchema.Column("a", .numeric(CSVSchema.Numeric(lower: 0, upper: 10, fill: 1, hasIndicator: true))),
            CSVSchema.Column("b", .categorical(["x", "y", "z"], unlisted: .ownSlot)),
            CSVSchema.Column("c", .label(classes: ["no", "yes"], ignoresFullStop: true)),
        ]),
        CSVSchema(
            columns: [
                CSVSchema.Column("a", .numeric(CSVSchema.Numeric(isLogarithmic: true))),
                CSVSchema.Column("b", .categorical(nil)),
                CSVSchema.Column("c", .target()),
            ],
            hasHeader: false, separator: ";", commentPrefix: "#", missingMarkers: ["?", ""]),
        CSVSchema(columns: [
            CSVSchema.Column("a", .buckets(edges: [-1, 0, 1e6], unlisted: .ownSlot)),
            CSVSchema.Column("b", .ignored),
            CSVSchema.Column("c", .target(lower: -1, upper: 1)),
        ]),
    ]
}
