import Requirements

extension Decoder {
    /// The entry of `registry` that the file names under `key`.
    ///
    /// Throws `DecodingError`, with the names that there are, if it names none of them.
    package func registered<Entry>(in registry: [Entry], _ key: String, name: (Entry) -> String) throws -> Entry {
        let key = AnyCodingKey(stringValue: key)
        let container = try container(keyedBy: AnyCodingKey.self)
        let wanted = try container.decode(String.self, forKey: key)
        guard let entry = registry.first(where: { name($0) == wanted }) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container,
                debugDescription: "There is no choice '\(wanted)'; known are "
                    + registry.map(name).joined(separator: ", ") + ".")
        }
        return entry
    }
}

extension Encoder {
    /// Writes under `key` what ``Swift/Decoder/registered(in:_:name:)`` reads.
    package func encodeRegistered(_ name: String, _ key: String) throws {
        var container = container(keyedBy: AnyCodingKey.self)
        try container.encode(name, forKey: AnyCodingKey(stringValue: key))
    }
}
