/// Writes CSV (RFC 4180) that a reader takes apart into the very fields that were written.
package enum CSVWriter {
    /// A record of the fields, without a line end.
    ///
    /// A field stands in quotes where it holds a comma, a quote or a line end, where it begins or ends with a blank
    /// (which many readers drop), and where it is empty or begins with the mark of UTF-8. Bytes decide: Swift takes
    /// CR LF, or a quote with a combining mark, as one `Character`.
    package static func record(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") }

    private static func field(_ text: String) -> String {
        let bytes = text.utf8
        let needsQuotes =
            bytes.isEmpty || blanks.contains(bytes.first!) || blanks.contains(bytes.last!)
            || bytes.starts(with: byteOrderMark) || bytes.contains(where: special.contains)
        guard needsQuotes else { return text }
        var quoted = [quote]
        for byte in bytes {
            if byte == quote { quoted.append(quote) }
            quoted.append(byte)
        }
        quoted.append(quote)
        return String(decoding: quoted, as: UTF8.self)
    }

    private static let quote = UInt8(ascii: "\"")
    private static let special = Array(",\"\r\n".utf8)
    private static let blanks = Array(" \t".utf8)
    private static let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
}
