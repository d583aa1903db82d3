/// The key under which a file says which entry of a registry it means.
private struct RegistryKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// The entry of `registry` that the file names under `key`.
    ///
    /// Throws `DecodingError`, with the names that there are, if it names none of them.
    package func registered<Entry>(in registry: [Entry], _ key: String, name: (Entry) -> String) throws -> Entry {
        let key = RegistryKey(stringValue: key)
        let container = try container(keyedBy: RegistryKey.self)
        let wanted = try container.decode(String.self, forKey: key)
        guard let entry = registry.first(where: { name($0) == wanted }) else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container,
                debugDescription: "There is no choice '\(wanted)'; known are "
                    + registry.map(name).joined(separator: ", ") + ".")
        }
        return entry
    }

    /// Throws `DecodingError`, which names the key, if the file has others than `known`: what is said must not be
    /// ignored.
    package func refuseKeys(besides known: [String]) throws {
        let container = try container(keyedBy: RegistryKey.self)
        for key in container.allKeys.sorted(by: { $0.stringValue < $1.stringValue })
        where !known.contains(key.stringValue) {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: container,
                debugDescription: "There is no setting '\(key.stringValue)'; known are "
                    + known.sorted().joined(separator: ", ") + ".")
        }
    }
}

extension Encoder {
    /// Writes under `key` what ``Swift/Decoder/registered(in:_:name:)`` reads.
    package func encodeRegistered(_ name: String, _ key: String) throws {
        var container = container(keyedBy: RegistryKey.self)
        try container.encode(name, forKey: RegistryKey(stringValue: key))
    }
}
