extension UnsafeBufferPointer<UInt8> {
    /// Where the line that begins at `position` ends, and where the next one begins. Lines end with LF, CR LF or CR.
    func line(at position: Int) -> (end: Int, next: Int) {
        let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        var end = position
        while end < count, self[end] != lineFeed, self[end] != carriageReturn { end += 1 }
        let isPair = end + 1 < count && self[end] == carriageReturn && self[end + 1] == lineFeed
        return (end, Swift.min(end + (isPair ? 2 : 1), count))
    }
}

/// What is wrong with the text of an example, and where in its bytes.
struct TextFault: Error {
    enum Kind {
        case invalidUTF8, emptyLine, missingTab, unknownToken, unknownLabel
    }

    let kind: Kind
    let offset: Int
    /// The offending text, cut off.
    var text = ""

    /// The error for a fault in the text that begins with line `firstLine` of the file at `path`.
    func error(
        _ path: String, in bytes: UnsafeBufferPointer<UInt8>, firstLine: Int, labels: [String]
    ) -> DatasetError {
        let (line, column) = bytes.place(of: offset, firstLine: firstLine)
        return switch kind {
        case .invalidUTF8: .invalidUTF8(path: path, line: line, column: column)
        case .emptyLine: .text(path: path, problem: .emptyLine(line))
        case .missingTab: .text(path: path, problem: .missingTab(line: line))
        case .unknownToken: .text(path: path, problem: .unknownToken(line: line, token: text))
        case .unknownLabel: .unknownLabel(path: path, line: line, column: "label", text: text, classes: labels)
        }
    }
}

/// Takes a text apart into the tokens of a vocabulary, from left to right.
struct TokenCursor {
    private let vocabulary: Vocabulary
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position: Int
    private let end: Int

    /// A cursor over `range` of the bytes, which are UTF-8 unless tokens are bytes.
    init(_ vocabulary: Vocabulary, _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
        self.vocabulary = vocabulary
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The id of the next token, and where it begins; nil at the end.
    mutating func next() throws(TextFault) -> (id: Int, begin: Int)? {
        if vocabulary.unit == .words {
            while position < end, bytes[position].isTextBlank { position += 1 }
        }
        guard position < end else { return nil }
        let begin = position
        switch vocabulary.unit {
        case .bytes:
            return (Int(takeLineEnd() ? Self.lineFeed : takeByte()), begin)
        case .characters:
            if takeLineEnd() { return (try id(ofLineFeedAt: begin), begin) }
            let length = bytes[begin] < 0x80 ? 1 : bytes.scalarLength(begin)
            guard let length, begin + length <= end else { throw TextFault(kind: .invalidUTF8, offset: begin) }
            position += length
        case .words:
            while position < end, !bytes[position].isTextBlank { position += 1 }
        }
        return (try id(of: UnsafeBufferPointer(rebasing: bytes[begin..<position]), begin), begin)
    }

    private static let lineFeed = UInt8(ascii: "\n")

    private mutating func takeByte() -> UInt8 {
        defer { position += 1 }
        return bytes[position]
    }

    /// Moves behind the line end that begins with a carriage return, if one does.
    private mutating func takeLineEnd() -> Bool {
        guard bytes[position] == UInt8(ascii: "\r") else { return false }
        position += 1
        if position < end, bytes[position] == Self.lineFeed { position += 1 }
        return true
    }

    private func id(ofLineFeedAt begin: Int) throws(TextFault) -> Int {
        try withUnsafePointer(to: Self.lineFeed) { (text) throws(TextFault) in
            try id(of: UnsafeBufferPointer(start: text, count: 1), begin)
        }
    }

    private func id(of token: UnsafeBufferPointer<UInt8>, _ begin: Int) throws(TextFault) -> Int {
        guard let id = vocabulary.id(of: token) else {
            throw TextFault(
                kind: .unknownToken, offset: begin, text: String(decoding: token.prefix(160), as: UTF8.self).shortened)
        }
        return id
    }
}
