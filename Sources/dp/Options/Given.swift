import ArgumentParser

/// What an option can hold: read from a word of the command line, and written as JSON.
protocol OptionValue {
    init?(written: String)
    /// What a word must be, as in "must be a whole number".
    static var expectation: String { get }
    /// The words that there are, if they can be listed.
    static var choices: [String] { get }
    var json: JSONValue { get }
}

extension OptionValue {
    static var choices: [String] { [] }
}

/// An option's word, and what could be made of it.
///
/// Words are taken as they are, so that everything that is wrong with a command line can be said at once: the parser
/// itself would end at the first.
struct Given<Value: OptionValue>: ExpressibleByArgument {
    let word: String
    /// Nil where the word means nothing.
    let value: Value?

    init?(argument: String) {
        word = argument
        value = Value(written: argument)
    }

    static var allValueStrings: [String] { Value.choices }
}

extension Double: OptionValue {
    /// Reads a number, or a fraction such as 256/60000.
    init?(written: String) {
        let parts = written.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
        switch parts.count {
        case 1:
            guard let number = parts[0] else { return nil }
            self = number
        case 2:
            guard let numerator = parts[0], let denominator = parts[1], denominator != 0 else { return nil }
            self = numerator / denominator
        default: return nil
        }
    }

    static var expectation: String { "a number such as 0.5, 1e-6 or 256/60000" }
    var json: JSONValue { JSONValue(self) }
}

extension Int: OptionValue {
    init?(written: String) {
        guard let number = Int(written) else { return nil }
        self = number
    }

    static var expectation: String { "a whole number" }
    var json: JSONValue { .integer(self) }
}

extension UInt64: OptionValue {
    init?(written: String) {
        guard let number = UInt64(written) else { return nil }
        self = number
    }

    static var expectation: String { "a whole number that is not negative" }
    var json: JSONValue { .unsigned(self) }
}

extension OptionValue where Self: CaseIterable & RawRepresentable<String> {
    init?(written: String) {
        guard let value = Self(rawValue: written) else { return nil }
        self = value
    }

    static var expectation: String { "one of \(choices.joined(separator: ", "))" }
    static var choices: [String] { allCases.map(\.rawValue) }
    var json: JSONValue { .text(rawValue) }
}
