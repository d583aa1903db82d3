import LinearAlgebra

/// Makes examples of the texts of a file.
struct TextEncoder {
    let format: TextFormat
    /// Whether lines begin with labels.
    let hasLabels: Bool
    private let labels: CategoryTable

    /// - Parameter isLabelled: whether lines begin with the labels that the format has.
    init(_ format: TextFormat, isLabelled: Bool) {
        self.format = format
        hasLabels = isLabelled && format.labels != nil
        labels = CategoryTable(format.labels ?? [])
    }

    /// Writes the tokens of an example to a row that holds −1, and returns how many there are, and its label's place.
    ///
    /// **Guarantee:** both depend on nothing but the text, the format, and whether there are labels.
    func encode(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, into row: UnsafeMutableBufferPointer<Float>
    ) throws(TextFault) -> (length: Int, label: Int) {
        var (begin, label) = (range.lowerBound, 0)
        if hasLabels {
            guard let tab = bytes[range].firstIndex(of: UInt8(ascii: "\t")) else {
                throw TextFault(kind: .missingTab, offset: begin)
            }
            let name = UnsafeBufferPointer(rebasing: bytes[begin..<tab])
            guard let place = labels.index(of: name) else {
                let text = String(decoding: name.prefix(160), as: UTF8.self).shortened
                throw TextFault(kind: .unknownLabel, offset: begin, text: text)
            }
            (begin, label) = (tab + 1, place)
        }
        var cursor = TokenCursor(format.vocabulary, bytes, begin..<range.upperBound)
        var length = 0
        // To the end, beyond what is kept: whether a text is in order must not hang on the length.
        while let (id, _) = try cursor.next() {
            if length < format.length {
                row[length] = Float(id)
                length += 1
            }
        }
        guard length > 0 else { throw TextFault(kind: .emptyLine, offset: range.lowerBound) }
        return (length, label)
    }

    /// The examples of the texts in `ranges` of the bytes, each with what follows it up to the next text.
    func examples(
        _ bytes: UnsafeBufferPointer<UInt8>, _ ranges: [Range<Int>]
    ) throws(TextFault) -> Examples {
        var tokens = Matrix(rows: ranges.count, columns: format.length)
        var (lengths, classes): ([Int], [Int]) = ([], [])
        try tokens.withUnsafeMutableElements { (elements) throws(TextFault) in
            elements.update(repeating: -1)
            for (row, range) in ranges.enumerated() {
                let end =
                    format.hasWindows ? range.upperBound : min(bytes.line(at: range.lowerBound).end, range.upperBound)
                let (length, label) = try encode(
                    bytes, range.lowerBound..<end,
                    into: UnsafeMutableBufferPointer(
                        rebasing: elements[row * format.length..<(row + 1) * format.length]))
                lengths.append(length)
                classes.append(label)
            }
        }
        return Examples(inputs: tokens, targets: targets(tokens, classes), lengths: lengths)
    }

    private func targets(_ tokens: Matrix, _ classes: [Int]) -> Targets {
        if let labels = format.labels {
            return hasLabels
                ? .classes(classes, classCount: labels.count) : .values(Matrix(rows: tokens.rows, columns: 0))
        }
        // Behind a token is the next one, or padding: −1 both there and here.
        var next = Matrix(rows: tokens.rows, columns: tokens.columns)
        next.withUnsafeMutableElements { next in
            tokens.withUnsafeElements { tokens in
                for begin in stride(from: 0, to: next.count, by: format.length) {
                    let end = begin + format.length
                    _ = next[begin..<end - 1].update(fromContentsOf: tokens[begin + 1..<end])
                    next[end - 1] = -1
                }
            }
        }
        return .values(next)
    }
}
