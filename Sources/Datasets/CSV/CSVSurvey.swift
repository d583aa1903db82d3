import Requirements

/// Takes from the data what a schema leaves open, without any privacy.
struct CSVSurvey {
    /// A column with more categories is one that nobody meant to be categorical.
    static let categoryLimit = 10_000

    private enum Findings {
        case nothing
        case bounds(lower: Double, upper: Double)
        case categories(CategoryTable)
    }

    private let schema: CSVSchema
    private let missingMarkers: MissingMarkers
    private let isNeeded: Bool
    private var findings: [Findings]

    init(_ schema: CSVSchema) {
        self.schema = schema
        missingMarkers = MissingMarkers(schema)
        isNeeded = !schema.openColumns.isEmpty
        findings = schema.columns.map { column in
            switch column.kind {
            case .numeric where column.kind.isOpen, .target where column.kind.isOpen:
                .bounds(lower: .infinity, upper: -.infinity)
            case .categorical(nil, _): .categories(CategoryTable())
            default: .nothing
            }
        }
    }

    /// Takes note of the scanner's record, of which each field belongs to the schema's column in `columns`.
    mutating func look(at scanner: CSVScanner, columns: [Int]) throws(DatasetError) {
        guard isNeeded else { return }
        for (field, column) in zip(scanner.fields, columns) {
            try scanner.withBytes(of: field) { (text) throws(DatasetError) in
                guard !missingMarkers.contains(text) else { return }
                switch findings[column] {
                case .nothing:
                    return
                case .bounds(let lower, let upper):
                    // What is no number is an error of the encoder's.
                    guard let number = DecimalNumber.parse(text) else { return }
                    findings[column] = .bounds(lower: min(lower, number), upper: max(upper, number))
                case .categories(var table):
                    findings[column] = .nothing
                    _ = table.insert(text)
                    guard table.count <= Self.categoryLimit else {
                        throw .tooManyCategories(
                            path: scanner.path, column: schema.columns[column].name, limit: Self.categoryLimit)
                    }
                    findings[column] = .categories(table)
                }
            }
        }
    }

    /// The schema with nothing open, and for each column that took something from the data a sentence that says so.
    func complete() throws(DatasetError) -> (schema: CSVSchema, notCovered: [String]) {
        var complete = schema
        var notCovered: [String] = []
        for (index, finding) in findings.enumerated() {
            let name = schema.columns[index].name.printable
            switch (finding, schema.columns[index].kind) {
            case (.bounds(let lower, let upper), .numeric(let numeric)):
                var numeric = numeric
                notCovered.append(Self.sentence(closing: (numeric.lower, numeric.upper), of: name))
                Self.close(&numeric.lower, &numeric.upper, found: (lower, upper))
                complete.columns[index].kind = .numeric(numeric)
            case (.bounds(let lower, let upper), .target(var ownLower, var ownUpper)):
                notCovered.append(Self.sentence(closing: (ownLower, ownUpper), of: name))
                Self.close(&ownLower, &ownUpper, found: (lower, upper))
                complete.columns[index].kind = .target(lower: ownLower, upper: ownUpper)
            case (.categories(let table), .categorical(nil, let unlisted)):
                // Sorted, so that the order of the records does not show.
                complete.columns[index].kind = .categorical(table.texts.sorted(), unlisted: unlisted)
                notCovered.append(Self.sentence("The categories of column '\(name)'", isPlural: true))
            default:
                break
            }
        }
        try complete.validate()
        return (complete, notCovered)
    }

    private static func sentence(closing bounds: (lower: Double?, upper: Double?), of name: String) -> String {
        let what = bounds.lower != nil ? "upper bound" : bounds.upper != nil ? "lower bound" : "bounds"
        return sentence("The \(what) of column '\(name)'", isPlural: what == "bounds")
    }

    private static func sentence(_ subject: String, isPlural: Bool) -> String {
        "\(subject) \(isPlural ? "were" : "was") taken from the data; the privacy guarantee does not cover "
            + "\(isPlural ? "them" : "it")."
    }

    /// Closes open bounds; where the data leave nothing between them, a distance of 1.
    private static func close(_ lower: inout Double?, _ upper: inout Double?, found: (lower: Double, upper: Double)) {
        let hasNumbers = found.lower <= found.upper
        let least = lower ?? min(hasNumbers ? found.lower : 0, (upper ?? .infinity) - 1)
        let greatest = hasNumbers ? found.upper : 1
        lower = least
        upper = upper ?? (greatest > least ? greatest : least + 1)
    }
}
