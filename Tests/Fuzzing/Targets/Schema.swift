import Datasets

@testable import dp

extension FuzzTarget {
    /// A CSV file's schema; and the bytes as a file whose header becomes a skeleton.
    static let schema = FuzzTarget(
        name: "schema", seeds: { try FormatSeeds.objects(of: Formats.schema) }
    ) { bytes in
        let path = ScratchFile.holding(bytes)
        _ = try? CSVSchema.skeleton(forHeaderOf: path)
        let schema = try CSVSchema(contentsOf: path)
        _ = (schema.openColumns, schema.featureCount, schema.target, schema.classes)
        checkRoundTrip(schema)
    }
}
