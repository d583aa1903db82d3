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
                    debugDescription: unknown("setting", key.stringValue, known: known.sorted())))
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
                    debugDescription: unknown("choice", text, known: choices.map(name))))
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

extension Decoder {
    /// The choice that the value names. Throws `DecodingError` with the names that there are.
    package func choice<Choice: CaseIterable & RawRepresentable<String>>() throws -> Choice {
        let box = try singleValueContainer()
        let name = try box.decode(String.self)
        guard let choice = Choice(rawValue: name) else {
            throw DecodingError.dataCorruptedError(
                in: box, debugDescription: unknown("choice", name, known: Choice.allCases.map(\.rawValue)))
        }
        return choice
    }
}

/// The sentence for a name that is not among those that are known.
package func unknown(_ what: String, _ name: String, known: [String]) -> String {
    let suggestion = nearest(to: name, among: known).map { "Did you mean '\($0)'? Known" } ?? "Known"
    return "There is no \(what) '\(name)'. \(suggestion) are \(known.joined(separator: ", "))."
}

/// Any key at all.
package struct AnyCodingKey: CodingKey {
    package let stringValue: String
    package var intValue: Int? { nil }

    package init(stringValue: String) { self.stringValue = stringValue }
    package init?(intValue: Int) { nil }
}
