/// A file in blocks that end where its records do, so that whole ones can be read without the whole file.
struct RecordBlocks {
    /// Whole records, one after the other.
    struct Block {
        let bytes: [UInt8]
        /// Where the block begins in the file.
        let offset: Int
        /// The number of the line that it begins with.
        let firstLine: Int
    }

    /// Where records end.
    struct Ends {
        /// Whether a line end within quotes is part of a field.
        var hasQuotes = false
        /// Lines that begin with it, blanks before it apart, are comments; quotes mean nothing in them.
        var commentPrefix: [UInt8] = []
        /// What counts as a blank before a comment.
        var blanks: [UInt8] = []
    }

    /// A block has so many bytes, unless a record is longer.
    static let usualSize = 1 << 22
    /// A longer record means that something is wrong.
    static let recordLimit = 1 << 26

    private let file: StreamedFile
    private let ends: Ends
    private let size: Int
    private let limit: Int
    private var offset = 0
    private var line = 1

    init(_ file: StreamedFile, _ ends: Ends, size: Int = usualSize, limit: Int = recordLimit) {
        self.file = file
        self.ends = ends
        self.size = size
        self.limit = limit
    }

    /// The next block; nil at the end of the file. Throws ``DatasetError/recordTooLong(path:line:limit:)``.
    mutating func next() throws(DatasetError) -> Block? {
        guard offset < file.size else { return nil }
        var length = size
        while true {
            let isLast = length >= file.size - offset
            var bytes = try file.read([offset..<min(offset + length, file.size)])
            let end = isLast ? bytes.count : bytes.withUnsafeBufferPointer { ends.last(in: $0, isFirst: offset == 0) }
            if end > 0 {
                bytes.removeLast(bytes.count - end)
                let block = Block(bytes: bytes, offset: offset, firstLine: line)
                offset += end
                line = bytes.withUnsafeBufferPointer { $0.place(of: end, firstLine: line).line }
                return block
            }
            guard length < limit else { throw .recordTooLong(path: file.path, line: line, limit: limit) }
            length = min(2 * length, limit)
        }
    }
}

extension RecordBlocks.Ends {
    /// Where records of a CSV file end.
    init(_ schema: CSVSchema) {
        self.init(
            hasQuotes: true, commentPrefix: Array((schema.commentPrefix ?? "").utf8),
            blanks: " \t".utf8.filter { $0 != schema.separator.utf8.first })
    }

    /// Where the last whole record in `bytes` ends, which begin with a record; 0 if none does.
    func last(in bytes: UnsafeBufferPointer<UInt8>, isFirst: Bool) -> Int {
        let (quote, lineFeed, carriageReturn) = (UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var end = 0
        var position = isFirst && bytes.startsWithUTF8Mark ? 3 : 0
        while position < bytes.count {
            var start = position
            if !commentPrefix.isEmpty {
                while start < bytes.count, blanks.contains(bytes[start]) { start += 1 }
            }
            let isComment = !commentPrefix.isEmpty && bytes[start...].starts(with: commentPrefix)
            var isQuoted = false
            while position < bytes.count {
                let byte = bytes[position]
                if hasQuotes, !isComment, byte == quote { isQuoted.toggle() }
                if !isQuoted, byte == lineFeed || byte == carriageReturn { break }
                position += 1
            }
            // A line feed may still belong to a carriage return that is the last byte.
            guard position < bytes.count, bytes[position] == lineFeed || position + 1 < bytes.count else { break }
            let isPair = bytes[position] == carriageReturn && bytes[position + 1] == lineFeed
            position += isPair ? 2 : 1
            end = position
        }
        return end
    }
}
