/// Where the examples of a text begin, found part by part.
struct TextIndex {
    private let path: String
    private let encoder: TextEncoder
    /// Where each example begins.
    private(set) var offsets: [Int] = []
    /// The tokens so far, of windows.
    private var tokenCount = 0
    private var row: [Float]

    init(_ encoder: TextEncoder, path: String) {
        self.path = path
        self.encoder = encoder
        row = [Float](repeating: 0, count: encoder.format.length)
    }

    /// Looks through the next part of the text, which begins at `offset` of the file, with line `firstLine`, and ends
    /// where a line does. Throws ``DatasetError`` with the line of what is wrong with it.
    mutating func add(
        _ bytes: UnsafeBufferPointer<UInt8>, offset: Int = 0, firstLine: Int = 1
    ) throws(DatasetError) {
        let format = encoder.format
        do throws(TextFault) {
            if format.vocabulary.unit != .bytes, let invalid = bytes.firstInvalidUTF8 {
                throw TextFault(kind: .invalidUTF8, offset: invalid)
            }
            let begin = firstLine == 1 && bytes.startsWithUTF8Mark ? 3 : 0
            if format.hasWindows {
                try addWindows(bytes, begin, offset)
            } else {
                try addLines(bytes, begin, offset)
            }
        } catch {
            throw error.error(path, in: bytes, firstLine: firstLine, labels: format.labels ?? [])
        }
    }

    private mutating func addLines(
        _ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ offset: Int
    ) throws(TextFault) {
        var position = begin
        while position < bytes.count {
            let line = bytes.line(at: position)
            try row.withUnsafeMutableBufferPointer { (row) throws(TextFault) in
                _ = try encoder.encode(bytes, position..<line.end, into: row)
            }
            offsets.append(offset + position)
            position = line.next
        }
    }

    private mutating func addWindows(
        _ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ offset: Int
    ) throws(TextFault) {
        var cursor = TokenCursor(encoder.format.vocabulary, bytes, begin..<bytes.count)
        while let (_, place) = try cursor.next() {
            if tokenCount.isMultiple(of: encoder.format.length) { offsets.append(offset + place) }
            tokenCount += 1
        }
    }
}
