import Requirements

extension CSVSchema {
    /// What stands in a skeleton where somebody has to write a column's kind.
    public static let openKind = "?"

    /// The JSON text of a schema whose kinds are still to be written, for the columns of the CSV file at `path`: in the
    /// header's order, each with the kind ``openKind``, which nothing that reads schemas takes.
    ///
    /// **Guarantee:** the text is a function of the header alone, the file's first record: no value is looked at, so
    /// that what is written into it is public as far as its author knows the columns from elsewhere.
    ///
    /// Throws ``DatasetError`` if the file cannot be read, has no header, or names a column twice, and for a separator
    /// that is none.
    public static func skeleton(
        forHeaderOf path: String, separator: String = ","
    ) throws(DatasetError) -> String {
        let format = CSVSchema(columns: [Column("", .numeric(Numeric()))], separator: separator)
        try format.validate()
        let names = try CSVFile.header(of: path, schema: format)
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw .headerMismatch(path: path, column: name.shortened, problem: .duplicate)
        }
        let columns = names.map { "    {\"name\": \(quoted($0)), \"kind\": \"\(openKind)\"}" }
        let head = separator == "," ? "{" : "{\n  \"separator\": \(quoted(separator)),"
        return "\(head)\n  \"columns\": [\n\(columns.joined(separator: ",\n"))\n  ]\n}\n"
    }

    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\u{0}"..<"\u{20}", "\u{7f}"..<"\u{a0}":
                "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
                    + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }
}
