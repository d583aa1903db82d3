import Requirements

/// Traps unless `type` is in `registry`, which is called `list`: what is not could be written and not read.
func requireRegistered(_ type: Any.Type, in registry: [Any.Type], _ list: String) {
    require(registry.contains { $0 == type }, "\(type) is not in the registry: add a line to \(list).")
}

extension Decoder {
    /// The entry of `registry` that the file names under `key`.
    ///
    /// Throws `DecodingError`, with the names that there are, if it names none of them.
    package func registered<Entry>(in registry: [Entry], _ key: String, name: (Entry) -> String) throws -> Entry {
        try container(keyedBy: AnyCodingKey.self)
            .decodeChoice(among: registry, forKey: AnyCodingKey(stringValue: key), name: name)
    }
}

extension Encoder {
    /// Writes under `key` what ``Swift/Decoder/registered(in:_:name:)`` reads.
    package func encodeRegistered(_ name: String, _ key: String) throws {
        var container = container(keyedBy: AnyCodingKey.self)
        try container.encode(name, forKey: AnyCodingKey(stringValue: key))
    }
}
