import Foundation
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
    ///
    /// Where that is wider than `width` columns, a line for each title and value, and a blank one between records.
    package func text(width: Int = .max) -> String {
        let table = TextTable<Record> { record in
            columns.map { TextColumn(title: $0.title, value: $0.text(record), align: $0.alignment) }
        }
        let text = table.string(for: records, style: Style.pipe) ?? ""
        guard text.split(separator: "\n").contains(where: { $0.count > width }) else { return text }
        let titles = (columns.map(\.title.count).max() ?? 0) + 2
        return records.map { record in
            columns.map { column in
                wrapped(
                    column.title.padding(toLength: titles, withPad: " ", startingAt: 0) + column.text(record),
                    columns: width)
            }.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    /// Prints the records in `format`.
    package func print(as format: OutputFormat) throws {
        switch format {
        case .json: try records.forEach { try printJSONLine($0) }
        case .table:
            if let heading { Swift.print(heading + "\n") }
            Swift.print(text(width: Terminal.output.columns))
        }
    }
}
