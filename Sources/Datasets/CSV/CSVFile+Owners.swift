/// Who owns which record: a column that is no feature.
extension CSVSchema {
    /// The schema for the file at `path` whose column `name` is not to be encoded: it is ignored if the file has it,
    /// whatever the schema says of it, and left out otherwise. Nil where neither the file's header nor, without a
    /// header, the schema has the column.
    ///
    /// Throws ``DatasetError`` if the file cannot be read or has no records, and ``DatasetError/invalidSchema(column:
    /// problem:)`` for the column of the label or target.
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
    /// The names in the header of the file at `path`. Throws ``DatasetError`` if it cannot be read or has no records.
    static func header(of path: String, schema: CSVSchema) throws(DatasetError) -> [String] {
        try withScanner(of: path, schema: schema) { (scanner) throws(DatasetError) in
            guard try scanner.next() else { throw .noExamples(path: path) }
            return scanner.fields.map(scanner.text(of:))
        }
    }

    /// The texts in the column `name` of the file at `path`, one for each example.
    ///
    /// Throws ``DatasetError`` if the file cannot be read, has no such column, or lacks a value: nobody can be
    /// protected who is not named.
    public static func texts(
        ofColumn name: String, in path: String, schema: CSVSchema
    ) throws(DatasetError) -> [String] {
        try withScanner(of: path, schema: schema) { (scanner) throws(DatasetError) in
            var names = schema.columns.map(\.name)
            if schema.hasHeader {
                guard try scanner.next() else { throw .noExamples(path: path) }
                names = scanner.fields.map(scanner.text(of:))
            }
            guard let column = names.firstIndex(of: name) else {
                throw .headerMismatch(path: path, column: name.shortened, problem: .missing)
            }
            let missing = MissingMarkers(schema)
            var texts: [String] = []
            while try scanner.next() {
                let line = scanner.place(of: scanner.recordBegin).line
                guard scanner.fields.count == names.count else {
                    throw .raggedRow(path: path, line: line, fields: scanner.fields.count, expected: names.count)
                }
                let field = scanner.fields[column]
                let isMissing = try scanner.withBytes(of: field) { (bytes) throws(DatasetError) in
                    bytes.isEmpty || missing.contains(bytes)
                }
                if isMissing { throw .missingOwner(path: path, line: line) }
                texts.append(scanner.text(of: field))
            }
            return texts
        }
    }

    private static func withScanner<Result>(
        of path: String, schema: CSVSchema, _ body: (inout CSVScanner) throws(DatasetError) -> Result
    ) throws(DatasetError) -> Result {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path)
        } catch {
            throw .file(error)
        }
        return try bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
            var scanner = CSVScanner(bytes, path: path, schema: schema)
            return try body(&scanner)
        }
    }
}
