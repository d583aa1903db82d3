/// Who owns which record: a column that is no feature.
extension CSVSchema {
    /// The schema for the file at `path` whose column `name` is not to be encoded: it is ignored if the file has it,
    /// whatever the schema says of it, and left out otherwise. Nil where neither the file's header nor, without a
    /// header, the schema has the column.
    ///
    /// Throws ``DatasetError`` if the file cannot be read or has no records, and
    /// ``DatasetError/invalidSchema(column:problem:)`` for the column of the label or target.
    public func ignoring(_ name: String, in path: String) throws(DatasetError) -> CSVSchema? {
        let listed = columns.firstIndex { $0.name == name }
        if let listed, columns[listed].kind.isAnswer {
            throw .invalidSchema(column: name, problem: "is what a model learns to say, and cannot name the owners.")
        }
        let isThere = hasHeader ? try CSVFile.header(of: path, schema: self).contains(name) : listed != nil
        guard isThere else { return nil }
        var schema = self
        if let listed { schema.columns[listed].kind = .ignored } else { schema.columns.append(Column(name, .ignored)) }
        return schema
    }

    /// The schema without the column `name`; without a header, where a column is told by its place, as it is.
    public func without(optionalColumn name: String) -> CSVSchema {
        guard hasHeader else { return self }
        var schema = self
        schema.columns.removeAll { $0.name == name }
        return schema
    }
}

extension CSVFile {
    /// The names in the header of the file at `path`, the first record. What follows it is not looked at, and not even
    /// read beyond some kilobytes unless the file is compressed or a pipe.
    ///
    /// Throws ``DatasetError`` if the file cannot be read, has no records, or a header that is not UTF-8.
    static func header(of path: String, schema: CSVSchema) throws(DatasetError) -> [String] {
        var names: [String]?
        try scanParts(of: path, schema: schema, size: 1 << 16) { (scanner) throws(DatasetError) in
            names = try scanner.nextTexts()
            return names == nil
        }
        guard let names else { throw .noExamples(path: path) }
        return names
    }

    /// The texts in the column `name` of the file at `path`, one for each example. Where the file is not compressed,
    /// only a part of it is in memory at once.
    ///
    /// Throws ``DatasetError`` if the file cannot be read or has no such column; and, unless `allowsMissing`, if it
    /// lacks a value: nobody can be protected who is not named.
    public static func texts(
        ofColumn name: String, in path: String, schema: CSVSchema, allowsMissing: Bool = false
    ) throws(DatasetError) -> [String] {
        let missing = MissingMarkers(schema)
        var names = schema.hasHeader ? nil : schema.columns.map(\.name)
        var texts: [String] = []
        try scanParts(of: path, schema: schema) { (scanner) throws(DatasetError) in
            if names == nil { names = try scanner.nextTexts() }
            // A part of comments alone has no header.
            guard let names else { return true }
            guard let column = names.firstIndex(of: name) else {
                throw .headerMismatch(path: path, column: name.shortened, problem: .missing)
            }
            while try scanner.next() {
                let line = scanner.place(of: scanner.recordBegin).line
                guard scanner.fields.count == names.count else {
                    throw .raggedRow(path: path, line: line, fields: scanner.fields.count, expected: names.count)
                }
                let field = scanner.fields[column]
                let isMissing = try scanner.withBytes(of: field) { (bytes) throws(DatasetError) in
                    bytes.isEmpty || missing.contains(bytes)
                }
                if isMissing, !allowsMissing { throw .missingOwner(path: path, line: line) }
                texts.append(scanner.text(of: field))
            }
            return true
        }
        guard names != nil else { throw .noExamples(path: path) }
        return texts
    }

    /// Calls `body` with a scanner of each part of the file until it says that it is enough: of whole records of
    /// about `size` bytes, or of everything where the file is compressed or a pipe.
    private static func scanParts(
        of path: String, schema: CSVSchema, size: Int = RecordBlocks.usualSize,
        _ body: (inout CSVScanner) throws(DatasetError) -> Bool
    ) throws(DatasetError) {
        let file: StreamedFile
        do throws(DatasetError) {
            file = try StreamedFile(uncompressed: path)
        } catch {
            guard case .cannotStream = error else { throw error }
            return try scanWhole(path, schema, body)
        }
        var blocks = RecordBlocks(file, RecordBlocks.Ends(schema), size: size)
        while let block = try blocks.next() {
            let goesOn = try block.bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
                var scanner = CSVScanner(bytes, path: path, schema: schema, firstLine: block.firstLine)
                return try body(&scanner)
            }
            if !goesOn { return }
        }
    }

    private static func scanWhole(
        _ path: String, _ schema: CSVSchema, _ body: (inout CSVScanner) throws(DatasetError) -> Bool
    ) throws(DatasetError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path)
        } catch {
            throw .file(error)
        }
        try bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
            var scanner = CSVScanner(bytes, path: path, schema: schema)
            _ = try body(&scanner)
        }
    }
}
