/// Takes the bytes of a CSV file (RFC 4180) apart, a record at a time and without a copy.
///
/// Beyond the RFC: blanks around fields are dropped, a quote may only open or close a whole field, records end with LF,
/// CR LF or CR alike, and blank lines and comments are skipped. The bytes must be UTF-8 and outlive the scanner.
struct CSVScanner {
    /// Where a field lies in the bytes, quotes and blanks around it excluded.
    struct Field {
        var begin: Int
        var end: Int
        /// Whether the field holds doubled quotes.
        var isEscaped: Bool
    }

    /// More fields in one record mean that something is wrong.
    static let fieldLimit = 100_000

    let bytes: UnsafeBufferPointer<UInt8>
    let path: String
    private let separator: UInt8
    private let commentPrefix: [UInt8]
    /// The number of the line that the bytes begin with.
    private let firstLine: Int
    private var position = 0

    /// Where the latest record begins.
    private(set) var recordBegin = 0
    /// The fields of the latest record.
    private(set) var fields: [Field] = []

    /// - Parameter firstLine: the number of the line that the bytes begin with: 1 at the beginning of a file, where the
    ///   mark that some programs put before UTF-8 is skipped.
    init(_ bytes: UnsafeBufferPointer<UInt8>, path: String, schema: CSVSchema, firstLine: Int = 1) {
        self.bytes = bytes
        self.path = path
        self.firstLine = firstLine
        separator = schema.separator.utf8.first ?? UInt8(ascii: ",")
        commentPrefix = Array((schema.commentPrefix ?? "").utf8)
        if firstLine == 1, bytes.startsWithUTF8Mark { position = 3 }
    }

    /// Moves to the next record; false at the end of the file.
    mutating func next() throws(DatasetError) -> Bool {
        skipEmptyLines()
        guard position < bytes.count else { return false }
        recordBegin = position
        fields.removeAll(keepingCapacity: true)
        var isLast = false
        while !isLast {
            guard fields.count < Self.fieldLimit else {
                throw .tooManyColumns(path: path, line: place(of: recordBegin).line, limit: Self.fieldLimit)
            }
            isLast = try scanField()
        }
        return true
    }

    private mutating func skipEmptyLines() {
        while position < bytes.count {
            let start = afterBlanks(position)
            let isComment = !commentPrefix.isEmpty && bytes[start...].starts(with: commentPrefix)
            if !isComment && start < bytes.count && !isLineEnd(bytes[start]) { return }
            position = afterLineEnd(bytes[start...].firstIndex(where: isLineEnd) ?? bytes.count)
        }
    }

    /// Appends the field at the position and moves behind what ends it; true if that is the record's end.
    private mutating func scanField() throws(DatasetError) -> Bool {
        let begin = afterBlanks(position)
        if begin < bytes.count && bytes[begin] == Self.quote { return try scanQuotedField(begin) }
        var end = begin
        while end < bytes.count {
            let byte = bytes[end]
            if byte == separator || isLineEnd(byte) { break }
            if byte == Self.quote { throw misplacedQuote(end) }
            end += 1
        }
        let isLast = finishField(end)
        while end > begin && isBlank(bytes[end - 1]) { end -= 1 }
        fields.append(Field(begin: begin, end: end, isEscaped: false))
        return isLast
    }

    private mutating func scanQuotedField(_ opening: Int) throws(DatasetError) -> Bool {
        var end = opening + 1
        var isEscaped = false
        while true {
            guard end < bytes.count else {
                let (line, column) = place(of: opening)
                throw .unterminatedQuote(path: path, line: line, column: column)
            }
            if bytes[end] != Self.quote {
                end += 1
            } else if end + 1 < bytes.count && bytes[end + 1] == Self.quote {
                isEscaped = true
                end += 2
            } else {
                break
            }
        }
        let next = afterBlanks(end + 1)
        guard next == bytes.count || bytes[next] == separator || isLineEnd(bytes[next]) else {
            throw misplacedQuote(end)
        }
        fields.append(Field(begin: opening + 1, end: end, isEscaped: isEscaped))
        return finishField(next)
    }

    /// Moves behind the separator or line end at `end`; true unless it is a separator.
    private mutating func finishField(_ end: Int) -> Bool {
        let isLast = end >= bytes.count || isLineEnd(bytes[end])
        position = isLast ? afterLineEnd(end) : end + 1
        return isLast
    }

    /// The offset behind the line end at `end`: CR LF is one.
    private func afterLineEnd(_ end: Int) -> Int {
        let isPair = end + 1 < bytes.count && bytes[end] == Self.carriageReturn && bytes[end + 1] == Self.lineFeed
        return min(end + (isPair ? 2 : 1), bytes.count)
    }

    private func afterBlanks(_ start: Int) -> Int {
        var position = start
        while position < bytes.count && isBlank(bytes[position]) { position += 1 }
        return position
    }

    private func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (byte == UInt8(ascii: "\t") && byte != separator)
    }

    private func isLineEnd(_ byte: UInt8) -> Bool { byte == Self.lineFeed || byte == Self.carriageReturn }

    private func misplacedQuote(_ offset: Int) -> DatasetError {
        let (line, column) = place(of: offset)
        return .misplacedQuote(path: path, line: line, column: column)
    }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
}

extension CSVScanner {
    /// The line and the byte in it, from 1, of an offset. Counted anew each time, because only errors ask.
    func place(of offset: Int) -> (line: Int, column: Int) { bytes.place(of: offset, firstLine: firstLine) }

    /// The text of a field, its doubled quotes made single ones.
    func text(of field: Field) -> String {
        field.isEscaped
            ? String(decoding: unescaped(field), as: UTF8.self)
            : String(decoding: bytes[field.begin..<field.end], as: UTF8.self)
    }

    /// The texts of the next record's fields; nil at the end of the file. Throws ``DatasetError``, also where they are
    /// not UTF-8.
    mutating func nextTexts() throws(DatasetError) -> [String]? {
        guard try next() else { return nil }
        let record = UnsafeBufferPointer(rebasing: bytes[recordBegin..<(fields.last?.end ?? recordBegin)])
        if let offset = record.firstInvalidUTF8 {
            let (line, column) = place(of: recordBegin + offset)
            throw .invalidUTF8(path: path, line: line, column: column)
        }
        return fields.map(text(of:))
    }

    private func unescaped(_ field: Field) -> [UInt8] {
        var text: [UInt8] = []
        var position = field.begin
        while position < field.end {
            text.append(bytes[position])
            position += bytes[position] == Self.quote ? 2 : 1
        }
        return text
    }

    /// Calls `body` with the bytes of a field, its doubled quotes made single ones.
    func withBytes<Result>(
        of field: Field, _ body: (UnsafeBufferPointer<UInt8>) throws(DatasetError) -> Result
    ) throws(DatasetError) -> Result {
        guard field.isEscaped else {
            return try body(UnsafeBufferPointer(rebasing: bytes[field.begin..<field.end]))
        }
        return try unescaped(field).withUnsafeBufferPointer { (text) throws(DatasetError) in try body(text) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether the bytes begin with the mark that some programs put before UTF-8.
    var startsWithUTF8Mark: Bool { starts(with: [0xef, 0xbb, 0xbf]) }

    /// The line and the byte in it of an offset, counted from `firstLine` and from 1. Lines end with LF, CR LF or CR.
    func place(of offset: Int, firstLine: Int = 1) -> (line: Int, column: Int) {
        let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var (line, lineBegin) = (firstLine, 0)
        for position in 0..<offset {
            let endsLine =
                self[position] == lineFeed
                || self[position] == carriageReturn && (position + 1 == count || self[position + 1] != lineFeed)
            if endsLine { (line, lineBegin) = (line + 1, position + 1) }
        }
        return (line, offset - lineBegin + 1)
    }

    /// The offset of the first byte that is not part of UTF-8; nil if there is none.
    var firstInvalidUTF8: Int? {
        var position = 0
        while position < count {
            let word =
                position + 8 <= count ? UnsafeRawPointer(baseAddress! + position).loadUnaligned(as: UInt64.self) : .max
            if word & 0x8080_8080_8080_8080 == 0 {
                position += 8
                continue
            }
            if self[position] < 0x80 {
                position += 1
                continue
            }
            guard let length = scalarLength(position) else { return position }
            position += length
        }
        return nil
    }

    /// The number of bytes of the scalar beyond ASCII at `position` (Unicode, table 3-7); nil if there is none.
    func scalarLength(_ position: Int) -> Int? {
        let (length, second): (Int, ClosedRange<UInt8>)
        switch self[position] {
        case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return nil
        }
        guard position + length <= count, second.contains(self[position + 1]) else { return nil }
        for next in self[position + 2..<position + length] where !(0x80...0xbf).contains(next) { return nil }
        return length
    }
}
