import Foundation

/// What comes before the elements in a `.npy` file.
struct NumPyHeader {
    let type: String
    let isFortranOrder: Bool
    let shape: [Int]
    /// Where the elements begin.
    let length: Int

    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    /// A header is a line of a few dozen bytes: what claims more is not one.
    private static let lengthLimit = 1 << 16

    /// Whether the bytes begin as such a file does.
    static func isNumPy(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

    init(_ bytes: [UInt8]) throws(NumPyProblem) {
        guard Self.isNumPy(bytes), bytes.count >= 10, (1...3).contains(bytes[6]) else { throw .notNumPy }
        let start = bytes[6] == 1 ? 10 : 12
        guard bytes.count >= start else { throw .notNumPy }
        let textLength = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard textLength <= Self.lengthLimit, textLength <= bytes.count - start else { throw .notNumPy }
        length = start + textLength
        let text = String(decoding: bytes[start..<length], as: UTF8.self)
        guard let type = text.firstMatch(of: /'descr':\s*'([^']*)'/)?.1,
            let order = text.firstMatch(of: /'fortran_order':\s*(True|False)/)?.1,
            let dimensions = text.firstMatch(of: /'shape':\s*\(([^()]*)\)/)?.1,
            let shape = Self.shape(dimensions)
        else { throw .malformedHeader(String(text.unicodeScalars.prefix(200))) }
        self.type = String(type)
        isFortranOrder = order == "True"
        self.shape = shape
    }

    /// The dimensions of a tuple such as `2, 3` or `6,`; nil unless all are whole numbers of at least 0.
    private static func shape(_ text: Substring) -> [Int]? {
        var shape: [Int] = []
        for part in text.split(separator: ",") {
            let word = part.trimmingCharacters(in: .whitespaces)
            if word.isEmpty { continue }
            guard let number = Int(word), number >= 0 else { return nil }
            shape.append(number)
        }
        return shape
    }
}

/// The type of an array's elements.
struct NumPyType: Equatable {
    enum Kind: Equatable {
        case float, signed, unsigned, bool
    }

    let kind: Kind
    /// In bytes: 1, 2, 4 or 8.
    let size: Int
    let isBigEndian: Bool

    /// The type that NumPy writes as `<f4`, `>i8`, `|u1`, `|b1`; nil if it is not one that is read.
    init?(_ text: String) {
        guard let match = text.wholeMatch(of: /([<>|=])([fiub])([1248])/), let size = Int(match.3) else { return nil }
        switch match.2 {
        case "f": kind = .float
        case "i": kind = .signed
        case "u": kind = .unsigned
        default: kind = .bool
        }
        guard kind != .float || size >= 4, kind != .bool || size == 1 else { return nil }
        self.size = size
        isBigEndian = match.1 == ">"
    }
}
