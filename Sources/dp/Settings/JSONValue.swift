/// A JSON value: settings that are put together from a file and options before any type reads them.
enum JSONValue: Codable, Hashable, Sendable {
    case null
    case flag(Bool)
    case integer(Int)
    /// A whole number beyond `Int`.
    case unsigned(UInt64)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if box.decodeNil() {
            self = .null
        } else if let flag = try? box.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? box.decode(Int.self) {
            self = .integer(integer)
        } else if let unsigned = try? box.decode(UInt64.self) {
            self = .unsigned(unsigned)
        } else if let text = try? box.decode(String.self) {
            self = .text(text)
        } else if let list = try? box.decode([JSONValue].self) {
            self = .list(list)
        } else if let object = try? box.decode([String: JSONValue].self) {
            self = .object(object)
        } else {
            // Last, so that a number that is too large for any of them is an error that says so.
            self = .number(try box.decode(Double.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        switch self {
        case .null: try box.encodeNil()
        case .flag(let flag): try box.encode(flag)
        case .integer(let integer): try box.encode(integer)
        case .unsigned(let unsigned): try box.encode(unsigned)
        case .number(let number): try box.encode(number)
        case .text(let text): try box.encode(text)
        case .list(let list): try box.encode(list)
        case .object(let object): try box.encode(object)
        }
    }

    /// The number that this is; infinity is written as the text "inf".
    var asNumber: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .unsigned(let unsigned): Double(unsigned)
        case .number(let number): number
        case .text("inf"): .infinity
        default: nil
        }
    }

    /// A number as JSON can write it.
    init(_ number: Double) { self = number == .infinity ? .text("inf") : .number(number) }

    /// The same without keys whose value is null: they say as much as none.
    var withoutNulls: JSONValue {
        switch self {
        case .object(let object): .object(object.filter { $0.value != .null }.mapValues(\.withoutNulls))
        case .list(let list): .list(list.map(\.withoutNulls))
        default: self
        }
    }

    /// The value at `path` below this one. Setting one makes the objects on the way; nil takes the key away.
    subscript(path: ArraySlice<String>) -> JSONValue? {
        get {
            guard let key = path.first else { return self }
            guard case .object(let object) = self else { return nil }
            return object[key]?[path.dropFirst()]
        }
        set {
            guard let key = path.first else {
                self = newValue ?? .null
                return
            }
            var object: [String: JSONValue] = if case .object(let object) = self { object } else { [:] }
            if path.count == 1 {
                object[key] = newValue
            } else if newValue != nil || object[key] != nil {
                var child = object[key] ?? .object([:])
                child[path.dropFirst()] = newValue
                object[key] = child
            }
            self = .object(object)
        }
    }

    /// The same by a path such as `"plan.epsilon"`.
    subscript(path: String) -> JSONValue? {
        get { self[path.split(separator: ".").map(String.init)[...]] }
        set { self[path.split(separator: ".").map(String.init)[...]] = newValue }
    }
}
