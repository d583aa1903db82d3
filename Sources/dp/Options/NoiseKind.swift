import PrivacyMechanisms

/// The name of a noise mechanism, as plans have it.
struct NoiseKind: OptionValue {
    let name: String

    init?(written: String) {
        guard Self.choices.contains(written) else { return nil }
        name = written
    }

    static var choices: [String] { NoiseScheme.mechanisms.map { $0.kind } }
    static var expectation: String { "one of \(choices.joined(separator: ", "))" }
    var json: JSONValue { .text(name) }
}
