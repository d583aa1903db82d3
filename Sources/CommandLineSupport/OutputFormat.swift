import Foundation

/// How a command prints what it found.
package enum OutputFormat: String, CaseIterable, Sendable {
    /// Aligned columns for people.
    case table
    /// One JSON object per line for programs.
    case json
}

extension JSONDecoder {
    /// A decoder for numbers that JSON lacks, in one spelling.
    package static var exact: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }
}

extension JSONEncoder {
    /// An encoder for numbers that JSON lacks, in one spelling.
    package static var exact: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }
}

/// Prints records one per line as JSON; numbers that JSON lacks become strings.
package func printJSONLine(_ record: some Encodable) throws { print(try jsonLine(record)) }

/// `record` in one line of JSON, its keys sorted; numbers that JSON lacks become strings.
package func jsonLine(_ record: some Encodable) throws -> String {
    let encoder = JSONEncoder.exact
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(record), as: UTF8.self)
}

/// Writes `text` to a file, whole or not at all.
///
/// Throws `CommandLineError.cannotWrite`, which names the path and the system's reason.
package func writeFile(_ text: String, to path: String) throws(CommandLineError) {
    do {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
        throw .cannotWrite(path: path, reason: error.localizedDescription)
    }
}

/// What can go wrong at the edge between a command and its user.
package enum CommandLineError: Error, Equatable, CustomStringConvertible {
    /// A file could not be written.
    case cannotWrite(path: String, reason: String)
    /// An option's value lies outside its range.
    case invalidOption(name: String, value: String, allowed: String)

    package var description: String {
        switch self {
        case .cannotWrite(let path, let reason):
            "'\(path)' could not be written: \(reason)"
        case .invalidOption(let name, let value, let allowed):
            "\(name) is \(value), but must be \(allowed)."
        }
    }
}
