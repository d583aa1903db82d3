import TextTable

private typealias TextColumn = Column

/// Records as commands print them: one JSON object per line for programs, or a table with a row for each.
package struct RecordTable<Record: Encodable> {
    /// A column: its title, and what it shows of a record.
    package struct Column {
        fileprivate let title: String
        fileprivate let alignment: Alignment
        fileprivate let text: (Record) -> String

        /// A column of words, flush left.
        package static func words(_ title: String, _ text: @escaping (Record) -> String) -> Column {
            Column(title: title, alignment: .left, text: text)
        }

        /// A column of numbers, flush right.
        package static func numbers(_ title: String, _ text: @escaping (Record) -> String) -> Column {
            Column(title: title, alignment: .right, text: text)
        }

        /// A column of whole numbers, flush right.
        package static func numbers(_ title: String, _ value: @escaping (Record) -> Int) -> Column {
            numbers(title) { "\(value($0))" }
        }
    }

    private let records: [Record]
    private let columns: [Column]
    private let heading: String?

    /// - Parameter heading: a line above the table; JSON has none.
    package init(_ records: [Record], heading: String? = nil, columns: [Column]) {
        self.records = records
        self.heading = heading
        self.columns = columns
    }

    /// The table as text: a row of titles, and one for each record. Empty where there is no record.
    package var text: String {
        let table = TextTable<Record> { record in
            columns.map { TextColumn(title: $0.title, value: $0.text(record), align: $0.alignment) }
        }
        return table.string(for: records, style: Style.pipe) ?? ""
    }

    /// Prints the records in `format`.
    package func print(as format: OutputFormat) throws {
        switch format {
        case .json: try records.forEach { try printJSONLine($0) }
        case .table:
            if let heading { Swift.print(heading + "\n") }
            Swift.print(text)
        }
    }
}
