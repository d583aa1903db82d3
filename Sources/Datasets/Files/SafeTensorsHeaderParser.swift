/// Parses the JSON that a safetensors header may hold, and nothing else.
///
/// Foundation's parsers keep one of two equal keys and so would hide a tensor; here they are an error.
struct SafeTensorsHeaderParser {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    mutating func parse() throws(SafeTensorsProblem) -> SafeTensorsHeader {
        var header = SafeTensorsHeader()
        guard bytes.first == UInt8(ascii: "{") else { throw expected("'{'") }
        try parseObject { (parser, name) throws(SafeTensorsProblem) in
            if name == SafeTensors.metadataKey {
                try parser.parseObject { (parser, key) throws(SafeTensorsProblem) in
                    header.metadata[key] = try parser.parseString()
                }
            } else {
                header.tensors.append(try parser.parseTensor(name))
            }
        }
        skipBlanks()
        guard position == bytes.endIndex else { throw expected("the end of the header") }
        return header
    }

    private mutating func parseTensor(_ name: String) throws(SafeTensorsProblem) -> SafeTensorsHeader.Tensor {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try parseObject { (parser, key) throws(SafeTensorsProblem) in
            switch key {
            case "dtype": type = try parser.parseString()
            case "shape": shape = try parser.parseNumbers()
            case "data_offsets": offsets = try parser.parseNumbers()
            default: throw parser.expected("one of the keys dtype, shape and data_offsets")
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw expected("a tensor's dtype, its shape, and two data_offsets before the '}'")
        }
        return SafeTensorsHeader.Tensor(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    /// Parses an object and lets `member` parse the value of each key.
    private mutating func parseObject(
        _ member: (inout Self, String) throws(SafeTensorsProblem) -> Void
    ) throws(SafeTensorsProblem) {
        try parse("{")
        if accept("}") { return }
        var keys: Set<String> = []
        repeat {
            let key = try parseString()
            guard keys.insert(key).inserted else { throw .duplicateKey(key) }
            try parse(":")
            try member(&self, key)
        } while accept(",")
        try parse("}")
    }

    private mutating func parseNumbers() throws(SafeTensorsProblem) -> [Int] {
        try parse("[")
        if accept("]") { return [] }
        var numbers: [Int] = []
        repeat { numbers.append(try parseNumber()) } while accept(",")
        try parse("]")
        return numbers
    }

    private mutating func parseNumber() throws(SafeTensorsProblem) -> Int {
        skipBlanks()
        let start = position
        while position < bytes.endIndex, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        let digits = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let number = Int(digits), digits == String(number) else {
            position = start
            throw expected("a whole number from 0 to \(Int.max)")
        }
        return number
    }

    private mutating func parseString() throws(SafeTensorsProblem) -> String {
        try parse("\"")
        var units: [UInt8] = []
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: units, as: UTF8.self) else {
                    throw expected("UTF-8 in the string before")
                }
                return text
            case UInt8(ascii: "\\"): units.append(contentsOf: try parseEscape().utf8)
            case 0..<0x20: throw expected("an escape in the place of a control character")
            default: units.append(byte)
            }
        }
        throw expected("the end of a string")
    }

    private mutating func parseEscape() throws(SafeTensorsProblem) -> String {
        switch next() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var units = [try parseHexadecimal()]
            if UTF16.isLeadSurrogate(units[0]), next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") {
                units.append(try parseHexadecimal())
            }
            guard let text = String(validating: units, as: UTF16.self) else { throw expected("a whole surrogate pair") }
            return text
        default: throw expected("one of the escapes of JSON")
        }
    }

    private mutating func parseHexadecimal() throws(SafeTensorsProblem) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = next().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw expected("four hexadecimal digits")
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    private mutating func parse(_ character: Unicode.Scalar) throws(SafeTensorsProblem) {
        guard accept(character) else { throw expected("'\(character)'") }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard position < bytes.endIndex, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func next() -> UInt8? {
        guard position < bytes.endIndex else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func skipBlanks() {
        while position < bytes.endIndex, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
    }

    private func expected(_ what: String) -> SafeTensorsProblem {
        .malformedHeader(offset: position - bytes.startIndex, expected: what)
    }
}
