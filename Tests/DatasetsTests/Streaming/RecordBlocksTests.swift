import Testing

@testable import Datasets

@Suite struct RecordBlocksTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Blocks are the file, whatever their size is; each but the last ends where a record does, and lines are counted.
    @Test(arguments: 1...20)
    func blocksJoinToTheFile(_ size: Int) throws {
        let text = "a,\"b\nc\",\r\nd\r\re\n# \" x\r\nf,\"\"\"\n\"\nlast"
        let path = try folder.write(text, "x.csv")
        let ends = RecordBlocks.Ends(hasQuotes: true, commentPrefix: Array("#".utf8), blanks: Array(" ".utf8))
        var blocks = RecordBlocks(try StreamedFile(path), ends, size: size)
        let beginnings = ["a", "d", "\r", "e", "#", "f", "l"]
        let lines = [1, 3, 4, 5, 6, 7, 9]
        var joined: [UInt8] = []
        while let block = try blocks.next() {
            #expect(block.offset == joined.count)
            joined += block.bytes
            let begin = String(decoding: block.bytes.prefix(1), as: UTF8.self)
            let place = try #require(beginnings.firstIndex(of: begin))
            #expect(block.firstLine == lines[place])
        }
        #expect(joined == Array(text.utf8))
    }

    @Test func recordsAreNotLongerThanTheLimit() throws {
        let path = try folder.write("a\n\"" + String(repeating: "b\n", count: 100), "x.csv")
        var blocks = RecordBlocks(try StreamedFile(path), RecordBlocks.Ends(hasQuotes: true), size: 2, limit: 64)
        #expect(try blocks.next()?.bytes == Array("a\n".utf8))
        #expect(throws: DatasetError.recordTooLong(path: path, line: 2, limit: 64)) { try blocks.next() }
        #expect(DatasetError.recordTooLong(path: path, line: 2, limit: 64).description.contains("line 2"))
        // Without quotes, the same lines are records.
        var plain = RecordBlocks(try StreamedFile(path), RecordBlocks.Ends(), size: 2, limit: 64)
        var count = 0
        while let block = try plain.next() { count += block.bytes.count }
        #expect(count == 203)
    }
}
