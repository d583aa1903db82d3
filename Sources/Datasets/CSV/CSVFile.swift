import LinearAlgebra

/// A CSV file, encoded by a schema.
public struct CSVFile: Sendable {
    /// What becomes of bounds and categories that the schema leaves open.
    public enum OpenRanges: Sendable {
        /// They are an error.
        case refused
        /// They are taken from this file, in the clear: no privacy guarantee covers them, and the data set says so in
        /// ``InMemoryDataset/notCovered``.
        case takenFromDataWithoutPrivacy
    }

    /// The encoded examples.
    public let dataset: InMemoryDataset
    /// The schema with nothing open, to read further files of the same kind with: it holds what was taken from the
    /// data.
    public let schema: CSVSchema

    /// Reads and encodes the file at `path`, plain or gzip.
    ///
    /// **Guarantee:** unless ranges are taken from the data, the encoding of each example, its target included, is a
    /// function of its own record and the schema: it depends on no other record.
    ///
    /// Throws ``DatasetError`` with the line (and column) if the file cannot be read, breaks the format or the schema,
    /// or if it, what it inflates to, or its matrix has more than `limit` bytes.
    /// - Complexity: O(bytes), in two passes over the file in memory.
    public init(
        _ path: String, schema: CSVSchema, openRanges: OpenRanges = .refused, limit: Int = FileContents.usualLimit
    ) throws(DatasetError) {
        try schema.validate()
        let open = schema.openColumns
        guard open.isEmpty || openRanges == .takenFromDataWithoutPrivacy else { throw .openSchema(columns: open) }
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: limit)
        } catch {
            throw .file(error)
        }
        self = try bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
            try CSVFile(bytes, path: path, schema: schema, limit: limit)
        }
    }

    private init(
        _ bytes: UnsafeBufferPointer<UInt8>, path: String, schema: CSVSchema, limit: Int
    ) throws(DatasetError) {
        if let offset = bytes.firstInvalidUTF8 {
            let (line, column) = bytes.place(of: offset)
            throw .invalidUTF8(path: path, line: line, column: column)
        }
        var scanner = CSVScanner(bytes, path: path, schema: schema)
        let columns = try Self.columnsOfFields(&scanner, schema: schema)

        var survey = CSVSurvey(schema)
        var count = 0
        var counting = scanner
        while try counting.next() {
            guard counting.fields.count == columns.count else {
                throw .raggedRow(
                    path: path, line: counting.place(of: counting.recordBegin).line, fields: counting.fields.count,
                    expected: columns.count)
            }
            try survey.look(at: counting, columns: columns)
            count += 1
        }
        guard count > 0 else { throw .noExamples(path: path) }
        let (complete, notCovered) = try survey.complete()

        let encoder = CSVEncoder(complete)
        let size = count.multipliedReportingOverflow(by: encoder.featureCount * MemoryLayout<Float>.stride)
        guard !size.overflow, size.partialValue <= limit else {
            throw .tooLarge(path: path, examples: count, features: encoder.featureCount, limit: limit)
        }
        var inputs = Matrix(rows: count, columns: encoder.featureCount)
        var answers: [CSVEncoder.Answer] = []
        answers.reserveCapacity(count)
        try inputs.withUnsafeMutableElements { (elements) throws(DatasetError) in
            for row in 0..<count where try scanner.next() {
                let features = UnsafeMutableBufferPointer(
                    rebasing: elements[row * encoder.featureCount..<(row + 1) * encoder.featureCount])
                answers.append(try encoder.encode(scanner, columns: columns, into: features))
            }
        }
        dataset = InMemoryDataset(
            inputs: inputs, targets: Self.targets(answers, complete), notCovered: notCovered)
        self.schema = complete
    }

    static func targets(_ answers: [CSVEncoder.Answer], _ schema: CSVSchema) -> Targets {
        if !schema.classes.isEmpty { return .classes(answers.map(\.label), classCount: schema.classes.count) }
        guard schema.target != nil else { return .values(Matrix(rows: answers.count, columns: 0)) }
        return .values(Matrix(rows: answers.count, columns: 1, elements: answers.map(\.target)))
    }

    /// The schema's column for each field of a record, as the header says if there is one.
    static func columnsOfFields(
        _ scanner: inout CSVScanner, schema: CSVSchema
    ) throws(DatasetError) -> [Int] {
        guard schema.hasHeader else { return Array(schema.columns.indices) }
        guard try scanner.next() else { throw .noExamples(path: scanner.path) }
        let places = Dictionary(uniqueKeysWithValues: schema.columns.enumerated().map { ($1.name, $0) })
        var columns: [Int] = []
        var missing = Set(schema.columns.indices)
        for field in scanner.fields {
            let name = scanner.text(of: field)
            guard let place = places[name] else {
                throw .headerMismatch(path: scanner.path, column: name.shortened, problem: .unexpected)
            }
            guard missing.remove(place) != nil else {
                throw .headerMismatch(path: scanner.path, column: name.shortened, problem: .duplicate)
            }
            columns.append(place)
        }
        if let first = missing.min() {
            throw .headerMismatch(path: scanner.path, column: schema.columns[first].name, problem: .missing)
        }
        return columns
    }
}
