extension Decoder {
    /// Throws `DecodingError.dataCorrupted`, which names key and alternatives, for a key that `Key` does not have.
    package func refuseUnknownKeys<Key: CodingKey & CaseIterable>(_: Key.Type) throws {
        try refuseUnknownKeys(except: Key.allCases.map(\.stringValue))
    }

    /// The same for a key that is not among `known`.
    package func refuseUnknownKeys(except known: [String]) throws {
        let given = try container(keyedBy: AnyCodingKey.self).allKeys.sorted { $0.stringValue < $1.stringValue }
        for key in given where !known.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath + [key],
                    debugDescription: "There is no setting '\(key.stringValue)'; known are "
                        + known.sorted().joined(separator: ", ") + "."))
        }
    }
}

extension KeyedDecodingContainer {
    /// The one of `choices` whose name stands under `key`. Throws `DecodingError.dataCorrupted`, which names the value
    /// and the choices.
    package func decodeChoice<Choice>(
        among choices: [Choice], forKey key: Key, name: (Choice) -> String
    ) throws -> Choice {
        let text = try decode(String.self, forKey: key)
        guard let choice = choices.first(where: { name($0) == text }) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath + [key],
                    debugDescription: "There is no choice '\(text)'; known are "
                        + choices.map(name).joined(separator: ", ") + "."))
        }
        return choice
    }

    /// One of the choices that `Choice` has.
    package func decodeChoice<Choice: CaseIterable & RawRepresentable<String>>(
        _: Choice.Type, forKey key: Key
    ) throws -> Choice {
        try decodeChoice(among: Array(Choice.allCases), forKey: key, name: \.rawValue)
    }

    /// The same; nil if the key is not there.
    package func decodeChoiceIfPresent<Choice: CaseIterable & RawRepresentable<String>>(
        _ type: Choice.Type, forKey key: Key
    ) throws -> Choice? {
        contains(key) ? try decodeChoice(type, forKey: key) : nil
    }
}

/// Any key at all.
package struct AnyCodingKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    package init(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}
