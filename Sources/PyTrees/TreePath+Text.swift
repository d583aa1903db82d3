import Requirements

extension TreePath: LosslessStringConvertible {
    /// The textual form.
    public var description: String {
        keys.map(Self.escaped).joined(separator: "/")
    }

    /// The path of which `description` is the textual form; nil if there is none, as for `a//b` or `~9`.
    public init?(_ description: String) {
        self.init(text: description)
    }

    init?(text: String) {
        guard !text.isEmpty else {
            self = .root
            return
        }
        var keys: [String] = []
        // Scalars, because a combining mark would join the "/" or "~" before it into one character.
        for component in text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false) {
            guard let key = Self.unescaped(component) else { return nil }
            keys.append(key)
        }
        self.init(keys)
        // One spelling for each path, so that texts can be compared in the paths' stead.
        guard self.description.utf8.elementsEqual(text.utf8) else { return nil }
    }

    private static func escaped(_ key: String) -> String {
        if key.isEmpty { return "~2" }
        var result = String.UnicodeScalarView()
        for scalar in key.unicodeScalars {
            switch scalar {
            case "~": result.append(contentsOf: "~0".unicodeScalars)
            case "/": result.append(contentsOf: "~1".unicodeScalars)
            default:
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator:
                    let number = String(scalar.value, radix: 16, uppercase: true)
                    result.append(contentsOf: "~u{\(number)}".unicodeScalars)
                default: result.append(scalar)
                }
            }
        }
        return String(result)
    }

    private static func unescaped(_ component: Substring.UnicodeScalarView) -> String? {
        var result = String.UnicodeScalarView()
        var rest = component[...]
        while let scalar = rest.popFirst() {
            guard scalar == "~" else {
                result.append(scalar)
                continue
            }
            switch rest.popFirst() {
            case "0": result.append("~")
            case "1": result.append("/")
            case "2" where component.count == 2: break
            case "u":
                guard rest.popFirst() == "{", let end = rest.firstIndex(of: "}"),
                    let number = UInt32(String(rest[..<end]), radix: 16), let escaped = Unicode.Scalar(number)
                else { return nil }
                result.append(escaped)
                rest = rest[rest.index(after: end)...]
            default: return nil
            }
        }
        return String(result)
    }
}

extension TreePath: ExpressibleByStringLiteral {
    /// The path of which `text` is the textual form; traps if there is none.
    public init(stringLiteral text: String) {
        guard let path = TreePath(text: text) else {
            fail("\"\(text)\" is not a path: write keys joined by \"/\", with ~1 for / and ~0 for ~.")
        }
        self = path
    }
}

extension TreePath: Codable {
    /// Reads the textual form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let path = TreePath(text: text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\"\(text)\" is not a path: write keys joined by \"/\", with ~1 for / and ~0 for ~.")
        }
        self = path
    }

    /// Writes the textual form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
