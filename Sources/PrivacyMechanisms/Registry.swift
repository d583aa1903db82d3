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

extension Decoder {
    /// Throws `DecodingError`, with the sentence for it, if the file names under `key` what there no longer is.
    func refuseRetired(_ sentences: [String: String], _ key: String) throws {
        let box = try container(keyedBy: AnyCodingKey.self)
        let key = AnyCodingKey(stringValue: key)
        guard let name = try? box.decode(String.self, forKey: key), let sentence = sentences[name] else { return }
        throw DecodingError.dataCorruptedError(
            forKey: key, in: box, debugDescription: "The \(key.stringValue) \(sentence)")
    }
}

extension Encoder {
    /// Writes under `key` what ``Swift/Decoder/registered(in:_:name:)`` reads.
    package func encodeRegistered(_ name: String, _ key: String) throws {
        var container = container(keyedBy: AnyCodingKey.self)
        try container.encode(name, forKey: AnyCodingKey(stringValue: key))
    }
}
