import Requirements

extension Vocabulary {
    /// Reads the list in the file at `path`, plain or gzip: a token a line, of which the first has the id 0. In a list
    /// of characters `\n`, `\t` and `\\` stand for a line feed, a tab and a backslash.
    ///
    /// The file must be public: see ``Vocabulary``. Throws ``DatasetError`` if it cannot be read, is not UTF-8, or is
    /// no list of tokens of that unit. Traps for bytes, which have no list.
    public init(contentsOf path: String, unit: Unit) throws(DatasetError) {
        require(unit != .bytes, "The vocabulary of bytes has no list: take Vocabulary.bytes.")
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileContents.readInflating(path, limit: 1 << 30)
        } catch {
            throw .file(error)
        }
        let lines = try bytes.withUnsafeBufferPointer { (bytes) throws(DatasetError) in
            if let offset = bytes.firstInvalidUTF8 {
                let (line, column) = bytes.place(of: offset)
                throw .invalidUTF8(path: path, line: line, column: column)
            }
            var lines: [String] = []
            var position = bytes.startsWithUTF8Mark ? 3 : 0
            while position < bytes.count {
                let line = bytes.line(at: position)
                lines.append(String(decoding: bytes[position..<line.end], as: UTF8.self))
                position = line.next
            }
            return lines
        }
        do throws(TextProblem) {
            try self.init(unit, unit == .characters ? lines.map(Self.unescaped) : lines)
        } catch {
            throw .text(path: path, problem: error)
        }
    }

    private static func unescaped(_ line: String) -> String {
        switch line {
        case "\\n": "\n"
        case "\\t": "\t"
        case "\\\\": "\\"
        default: line
        }
    }
}

extension Vocabulary: Codable {
    private enum CodingKeys: CodingKey {
        case kind, tokens
    }

    /// Reads a vocabulary such as `{"kind": "words", "tokens": ["<unk>", "the"]}`, or `{"kind": "bytes"}`.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        let unit = try box.decodeChoice(Unit.self, forKey: .kind)
        try decoder.refuseUnknownKeys(except: unit == .bytes ? ["kind"] : ["kind", "tokens"])
        guard unit != .bytes else {
            self = .bytes
            return
        }
        let tokens = try box.decode([String].self, forKey: .tokens)
        do throws(TextProblem) {
            self = try Vocabulary(unit, tokens)
        } catch {
            throw DecodingError.dataCorruptedError(
                forKey: .tokens, in: box, debugDescription: error.description)
        }
    }

    /// Writes the unit, and the entries where there is a list.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encode(unit, forKey: .kind)
        if unit != .bytes { try box.encode(tokens, forKey: .tokens) }
    }
}
