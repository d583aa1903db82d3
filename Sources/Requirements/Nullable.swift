/// A value that is written as null where there is none, and not left out.
package struct Nullable<Value: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    package let value: Value?

    package init(_ value: Value?) { self.value = value }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        value = box.decodeNil() ? nil : try box.decode(Value.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        if let value { try box.encode(value) } else { try box.encodeNil() }
    }
}
