import Foundation

@testable import dp

/// Inputs and words from the table of what files may say, which grows with what there is.
enum FormatSeeds {
    /// An object of each of the group's kinds, with every key of the kind and its example, beside `keys`.
    static func objects(of group: SettingGroup, beside keys: [String: Any] = [:]) throws -> [[UInt8]] {
        let kinds: [String?] = group.kinds?.choices.map(\.name) ?? [nil]
        return try kinds.map { kind in
            var object = keys
            for setting in group.settings(ofKind: kind) { object[setting.key] = value(setting.example) }
            if let kinds = group.kinds { object[kinds.key] = kind }
            return try [UInt8](JSONSerialization.data(withJSONObject: object, options: .sortedKeys))
        }
    }

    /// One object for each of the group's keys, with its example beside `keys`, and one for each kind of the objects
    /// that can stand there.
    static func variations(of group: SettingGroup, on keys: [String: Any]) throws -> [[UInt8]] {
        var variants: [[String: Any]] = []
        for setting in group.settings {
            variants.append(keys.merging([setting.key: value(setting.example)]) { $1 })
            guard case .group(let inner) = setting.kind, inner.kinds != nil else { continue }
            for object in try objects(of: inner) {
                let object = try JSONSerialization.jsonObject(with: Data(object))
                variants.append(keys.merging([setting.key: object]) { $1 })
            }
        }
        return try variants.map { try [UInt8](JSONSerialization.data(withJSONObject: $0, options: .sortedKeys)) }
    }

    static func value(_ json: String) -> Any {
        (try? JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)) ?? json
    }

    /// libFuzzer's dictionary of all keys and choices, and of numbers at the ends of what there is: it can put a word
    /// anywhere, but hardly guess one.
    static var dictionary: String {
        var words: Set<String> = []
        for group in Formats.groups {
            for kind in [nil] + (group.kinds?.choices.map(\.name) ?? []) {
                if let kind { words.insert(kind) }
                for setting in group.settings(ofKind: kind) {
                    words.insert(setting.key)
                    if case .choice(let names) = setting.kind { words.formUnion(names) }
                }
            }
            if let key = group.kinds?.key { words.insert(key) }
        }
        let numbers = [
            "0", "1", "-1", "0.5", "1e308", "1e-320", "9223372036854775807", "18446744073709551615", "4294967296",
            "null", "true", "[]", "{}",
        ]
        let quoted = (words.sorted() + ["inf", "-inf", "nan"]).map { "\"\\\"\($0)\\\"\"" }
        return (quoted + numbers.map { "\"\($0)\"" }).joined(separator: "\n") + "\n"
    }
}
