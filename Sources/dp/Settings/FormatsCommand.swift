import ArgumentParser
import CommandLineSupport

struct FormatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "formats",
        abstract: "What the files hold that dp reads: configuration, plan, mapping, schema, model.")

    func run() { print(Formats.text(columns: min(100, Terminal.output.columns))) }
}

extension Formats {
    /// The files, and the object that each of them is.
    static let files: [(name: String, command: String, group: SettingGroup)] = [
        ("A configuration", "dp train --config FILE, and RUN/config.json", configuration),
        ("A plan", "dp plan FILE", plan),
        ("A mapping", "dp train --mapping FILE", mapping),
        ("A schema", "dp train --schema FILE", schema),
        ("A model", "RUN/model.json", model),
    ]

    /// Every group, each of them once, in the order in which files speak of them.
    static var groups: [SettingGroup] {
        var groups: [SettingGroup] = []
        func add(_ group: SettingGroup) {
            guard !groups.contains(where: { $0.name == group.name && $0.about == group.about }) else { return }
            groups.append(group)
            (group.settings + (group.kinds?.choices.flatMap(\.settings) ?? [])).forEach { $0.kind.groups.forEach(add) }
        }
        files.forEach { add($0.group) }
        return groups
    }

    /// The files' format for people.
    static func text(columns: Int) -> String {
        var lines = [
            "Files are JSON objects. Unknown keys are errors. Infinity is \"inf\".", "",
        ]
        lines += files.map { "  \($0.name)  \($0.command): the object \($0.group.name)" }
        for group in groups {
            lines += ["", group.name.uppercased(), "  " + group.about]
            lines += group.settings.flatMap { $0.lines(indent: "  ") }
            if let kinds = group.kinds {
                lines.append("  \(kinds.key)  (needed) one of:")
                for kind in kinds.choices {
                    lines.append("    \"\(kind.name)\"" + (kind.about.isEmpty ? "" : "  \(kind.about)"))
                    lines += kind.settings.flatMap { $0.lines(indent: "      ") }
                }
            }
        }
        return wrapped(lines.joined(separator: "\n"), columns: columns)
    }
}

extension Setting {
    fileprivate func lines(indent: String) -> [String] {
        ["\(indent)\(key)  \(absent.map { "(else: \($0))" } ?? "(needed)") \(meaning), such as \(example)"]
    }
}

extension Setting.Kind {
    /// The groups that values of the kind can be of.
    var groups: [SettingGroup] {
        switch self {
        case .group(let group): [group]
        case .nested(let group): [group()]
        case .list(let kind), .tree(let kind): kind.groups
        case .either(let kinds): kinds.flatMap(\.groups)
        default: []
        }
    }
}
