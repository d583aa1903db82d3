import LinearAlgebra

/// A CSV file, encoded by a schema, whose records are read from disk when they are needed.
///
/// The encoding is that of ``CSVFile``, in every bit. Memory holds where each record begins (8 bytes a record) and what
/// is asked for. Opening reads the whole file once, so that what is wrong with it is found before training; twice, if
/// ranges are taken from it.
///
/// - Warning: which parts of the file are read shows which examples a step draws, in the system's page cache and in the
///   time that reading takes. Use a machine whose other users need not be kept from it.
public struct StreamedCSVFile: Dataset {
    /// The schema with nothing open, to read further files of the same kind with.
    public let schema: CSVSchema
    /// What was taken from the data before training, in whole sentences.
    public let notCovered: [String]

    private let file: StreamedFile
    private let encoder: CSVEncoder
    /// The schema's column for each field of a record.
    private let columns: [Int]
    /// Where each record begins, and where the last one ends at the latest.
    private let offsets: [Int]

    /// The number of examples.
    public var count: Int { offsets.count - 1 }

    /// The number of features of each example.
    public var featureCount: Int { encoder.featureCount }

    /// Opens the file at `path`, which must not be compressed.
    ///
    /// **Guarantee:** as for ``CSVFile``, the encoding of each example is a function of its own record and the schema
    /// unless ranges are taken from the data.
    ///
    /// Throws ``DatasetError`` with the line as ``CSVFile`` does, ``DatasetError/cannotStream(path:reason:)`` for a
    /// compressed file, and ``DatasetError/recordTooLong(path:line:limit:)`` for a record of more than 64 MiB.
    public init(
        _ path: String, schema: CSVSchema, openRanges: CSVFile.OpenRanges = .refused
    ) throws(DatasetError) {
        try self.init(path, schema: schema, openRanges: openRanges, blockSize: RecordBlocks.usualSize)
    }

    init(
        _ path: String, schema: CSVSchema, openRanges: CSVFile.OpenRanges = .refused, blockSize: Int
    ) throws(DatasetError) {
        try schema.validate()
        let open = schema.openColumns
        guard open.isEmpty || openRanges == .takenFromDataWithoutPrivacy else { throw .openSchema(columns: open) }
        let records = Records(file: try StreamedFile(uncompressed: path), schema: schema, blockSize: blockSize)

        var columns: [Int]?
        var offsets: [Int] = []
        var survey = CSVSurvey(schema)
        try records.forEachBlock { (scanner, begin) throws(DatasetError) in
            if columns == nil {
                // A block of comments alone has no header.
                var probe = scanner
                guard try probe.next() else { return }
            }
            let known: [Int]
            if let columns { known = columns } else { known = try CSVFile.columnsOfFields(&scanner, schema: schema) }
            columns = known
            while try scanner.next() {
                guard scanner.fields.count == known.count else {
                    throw .raggedRow(
                        path: path, line: scanner.place(of: scanner.recordBegin).line, fields: scanner.fields.count,
                        expected: known.count)
                }
                try survey.look(at: scanner, columns: known)
                offsets.append(begin + scanner.recordBegin)
            }
        }
        guard let columns, !offsets.isEmpty else { throw .noExamples(path: path) }
        offsets.append(records.file.size)
        let (complete, notCovered) = try survey.complete()
        let encoder = CSVEncoder(complete)

        // What is wrong with values is known, with its line, before anybody trains.
        var isHeader = schema.hasHeader
        var features = [Float](repeating: 0, count: encoder.featureCount)
        try records.forEachBlock { (scanner, _) throws(DatasetError) in
            if isHeader { isHeader = try !scanner.next() }
            while try scanner.next() {
                try features.withUnsafeMutableBufferPointer { (features) throws(DatasetError) in
                    _ = try encoder.encode(scanner, columns: columns, into: features)
                }
            }
        }
        self.schema = complete
        self.notCovered = notCovered
        file = records.file
        self.encoder = encoder
        self.columns = columns
        self.offsets = offsets
    }

    /// The examples at `indices`, in that order; an index may occur again. Traps if one is not in 0..<`count`.
    ///
    /// Throws ``FileError/changed(path:)`` as a ``DatasetError`` if the file is not what it was when it was opened.
    public func examples(at indices: [Int]) throws -> Examples {
        let ranges = indices.map { offsets.range(of: $0) }
        let bytes = try file.read(ranges)
        var inputs = Matrix(rows: indices.count, columns: featureCount)
        var answers: [CSVEncoder.Answer] = []
        var begin = 0
        do {
            try bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
                try inputs.withUnsafeMutableElements { (elements) throws(DatasetError) in
                    for (row, range) in ranges.enumerated() {
                        let record = UnsafeBufferPointer(rebasing: bytes[begin..<begin + range.count])
                        begin += range.count
                        var scanner = CSVScanner(record, path: file.path, schema: schema, firstLine: 0)
                        guard try scanner.next(), scanner.fields.count == columns.count else { throw file.hasChanged }
                        let features = UnsafeMutableBufferPointer(
                            rebasing: elements[row * featureCount..<(row + 1) * featureCount])
                        answers.append(try encoder.encode(scanner, columns: columns, into: features))
                    }
                }
            }
        } catch {
            // What was in order when the file was opened is not any more.
            throw file.hasChanged
        }
        return Examples(inputs: inputs, targets: CSVFile.targets(answers, schema))
    }

    /// The file's records, block by block.
    private struct Records {
        let file: StreamedFile
        let schema: CSVSchema
        let blockSize: Int

        /// Calls `body` with a scanner of each block, and where the block begins in the file.
        func forEachBlock(
            _ body: (inout CSVScanner, Int) throws(DatasetError) -> Void
        ) throws(DatasetError) {
            var blocks = RecordBlocks(file, RecordBlocks.Ends(schema), size: blockSize)
            while let block = try blocks.next() {
                try block.bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
                    if let offset = bytes.firstInvalidUTF8 {
                        let (line, column) = bytes.place(of: offset, firstLine: block.firstLine)
                        throw .invalidUTF8(path: file.path, line: line, column: column)
                    }
                    var scanner = CSVScanner(
                        bytes, path: file.path, schema: schema, firstLine: block.firstLine)
                    try body(&scanner, block.offset)
                }
            }
        }
    }
}
