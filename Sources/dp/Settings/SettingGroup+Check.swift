import Requirements

/// What is wrong with a value, and where it stands.
struct SettingProblem: Equatable {
    /// From the root, such as `["plan", "epsilon"]`.
    let path: [String]
    /// Goes on after the name: "is -1, but must be in (0, ∞)."
    let text: String
    /// Whether nothing stands there that should: another source of settings may have it.
    var isMissing = false
}

extension SettingGroup {
    /// All that is wrong with `value`, an object of this group.
    func problems(with value: JSONValue, at path: [String] = []) -> [SettingProblem] {
        guard case .object(let object) = value else {
            return [SettingProblem(path: path, text: "is \(value.brief), but must be an object in braces.")]
        }
        var settings = settings
        var owner = name
        if let kinds {
            let names = kinds.choices.map(\.name)
            guard let value = object[kinds.key] else {
                let text = "is missing: one of \(names.joined(separator: ", "))."
                return [SettingProblem(path: path + [kinds.key], text: text, isMissing: true)]
            }
            guard case .text(let kind) = value else {
                return Setting.Kind.choice(names).problems(with: value, at: path + [kinds.key])
            }
            guard names.contains(kind) else {
                let text = kinds.retired[kind] ?? Setting.noChoice(kind, among: names)
                return [SettingProblem(path: path + [kinds.key], text: text)]
            }
            settings = self.settings(ofKind: kind)
            owner = kind
        }
        let known = settings.map(\.key) + (kinds.map { [$0.key] } ?? [])
        var problems: [SettingProblem] = []
        for key in object.keys.sorted() where !known.contains(key) {
            let text = "is no setting of \(owner)" + suggestion(for: key, among: known)
            problems.append(SettingProblem(path: path + [key], text: text))
        }
        for setting in settings {
            switch object[setting.key] {
            case nil where setting.absent == nil:
                let text = "is missing: \(setting.meaning)."
                problems.append(SettingProblem(path: path + [setting.key], text: text, isMissing: true))
            case nil: break
            case let value?: problems += setting.kind.problems(with: value, at: path + [setting.key])
            }
        }
        return problems
    }

    private func suggestion(for key: String, among known: [String]) -> String {
        let list = "known are \(known.sorted().joined(separator: ", "))."
        return nearest(to: key, among: known).map { ": did you mean '\($0)'? K\(list.dropFirst())" } ?? "; \(list)"
    }
}

extension Setting {
    static func noChoice(_ text: String, among names: [String]) -> String {
        let suggestion = nearest(to: text, among: names).map { " Did you mean '\($0)'?" } ?? ""
        return "is '\(text)', but must be one of \(names.joined(separator: ", ")).\(suggestion)"
    }
}

extension Setting.Kind {
    /// All that is wrong with `value`.
    func problems(with value: JSONValue, at path: [String]) -> [SettingProblem] {
        func wrong(_ text: String) -> [SettingProblem] { [SettingProblem(path: path, text: text)] }
        func mismatch() -> [SettingProblem] { wrong("is \(value.brief), but must be \(jsonType).") }
        switch self {
        case .number(let range):
            guard let number = value.asNumber else { return mismatch() }
            return range.contains(number) ? [] : wrong("is \(value.brief), but must be \(range.text).")
        case .whole(let range):
            guard let number = value.asNumber, number == number.rounded() else { return mismatch() }
            return range.contains(number) ? [] : wrong("is \(value.brief), but must be \(range.text).")
        case .flag: return if case .flag = value { [] } else { mismatch() }
        case .text: return if case .text = value { [] } else { mismatch() }
        case .choice(let names):
            guard case .text(let text) = value else { return mismatch() }
            return names.contains(text) ? [] : wrong(Setting.noChoice(text, among: names))
        case .group(let group): return group.problems(with: value, at: path)
        case .nested(let group): return group().problems(with: value, at: path)
        case .list(let element):
            guard case .list(let values) = value else { return mismatch() }
            return values.enumerated().flatMap { element.problems(with: $1, at: path + ["\($0)"]) }
        case .tree(let leaf):
            guard case .object(let children) = value else { return mismatch() }
            return children.sorted { $0.key < $1.key }.flatMap { key, child in
                if case .object = child { return problems(with: child, at: path + [key]) }
                return leaf.problems(with: child, at: path + [key])
            }
        case .either(let kinds):
            let fitting = kinds.first { $0.hasType(of: value) }
            return fitting?.problems(with: value, at: path) ?? mismatch()
        }
    }

    /// What JSON calls values of the kind.
    private var jsonType: String {
        switch self {
        case .number: "a number"
        case .whole: "a whole number"
        case .flag: "true or false"
        case .text: "a text in quotes"
        case .choice(let names): "one of \(names.joined(separator: ", "))"
        case .group, .nested, .tree: "an object in braces"
        case .list: "a list in brackets"
        case .either(let kinds): kinds.map(\.jsonType).joined(separator: " or ")
        }
    }

    private func hasType(of value: JSONValue) -> Bool {
        switch self {
        case .number, .whole: value.asNumber != nil
        case .flag: if case .flag = value { true } else { false }
        case .text, .choice: if case .text = value { true } else { false }
        case .group, .nested, .tree: if case .object = value { true } else { false }
        case .list: if case .list = value { true } else { false }
        case .either(let kinds): kinds.contains { $0.hasType(of: value) }
        }
    }
}

extension JSONValue {
    /// The value in a sentence.
    var brief: String {
        switch self {
        case .null: "null"
        case .flag(let flag): "\(flag)"
        case .integer(let integer): "\(integer)"
        case .unsigned(let unsigned): "\(unsigned)"
        case .number(let number): "\(number)".replacing(/\.0$/, with: "")
        case .text("inf"): "inf"
        case .text(let text): "'\(text)'"
        case .list: "a list"
        case .object: "an object"
        }
    }
}
