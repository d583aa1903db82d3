import CommandLineSupport
import Testing

struct RecordTableTests {
    private struct Record: Encodable {
        let name: String
        let count: Int
        let ratio: Double
    }

    private func table(_ records: [Record]) -> RecordTable<Record> {
        RecordTable(
            records,
            columns: [.words("name") { $0.name }, .numbers("n") { $0.count }, .numbers("×") { "\($0.ratio)" }])
    }

    @Test func columnsHaveTitlesAndAlignments() {
        let records = [Record(name: "first", count: 7, ratio: 0.5), Record(name: "b", count: 1200, ratio: 1)]
        let lines = table(records).text().split(separator: "\n").map(String.init)
        #expect(lines.count == 4)
        #expect(lines[0].contains("name") && lines[0].contains("n") && lines[0].contains("×"))
        // Words begin at the left edge of their column, numbers end at the right edge.
        #expect(lines[2].hasPrefix("| first |") && lines[3].hasPrefix("| b     |"))
        #expect(lines[2].contains("|    7 |") && lines[3].contains("| 1200 |"))
    }

    @Test func noRecordsAreNoTable() {
        #expect(table([]).text().isEmpty)
    }
}
