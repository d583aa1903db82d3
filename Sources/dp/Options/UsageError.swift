import ArgumentParser
import Foundation
import Requirements

/// A command line, or a file that it names, that says what cannot be done: everything that is wrong with it.
struct UsageError: Error, Equatable, CustomStringConvertible {
    let problems: [String]

    /// One problem in one line; several in a list.
    var description: String {
        guard problems.count != 1 else { return problems[0] }
        return "\(problems.count) things are wrong:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}

/// Collects what is wrong with a command line.
struct UsageCheck {
    private(set) var problems: [String] = []

    mutating func add(_ problem: String) { problems.append(problem) }

    /// The option's value; nil if it is not there, or means nothing, which is noted.
    mutating func value<Value: OptionValue>(_ given: Given<Value>?, _ flag: String) -> Value? {
        guard let given else { return nil }
        guard let value = given.value else {
            let suggestion = nearest(to: given.word, among: Value.choices).map { " Did you mean '\($0)'?" } ?? ""
            add("\(flag) is '\(given.word)', but must be \(Value.expectation).\(suggestion)")
            return nil
        }
        return value
    }

    /// The same for a number, which must lie in `range`.
    mutating func number<Number: OptionValue>(_ given: Given<Number>?, _ flag: String, _ range: NumberRange) -> Number?
    {
        guard let number = value(given, flag) else { return nil }
        guard let real = number.json.asNumber, range.contains(real) else {
            add("\(flag) is \(given?.word ?? ""), but must be \(range.text).")
            return nil
        }
        return number
    }

    /// The same for an option that takes several numbers: repeated, or with commas between.
    mutating func numbers(_ words: [String], _ flag: String, _ range: NumberRange) -> [Double] {
        words.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
            .compactMap { number(Given<Double>(argument: String($0)), flag, range) }
    }

    /// The same for an option that must be there.
    mutating func required<Number: OptionValue>(
        _ given: Given<Number>?, _ flag: String, _ range: NumberRange, _ meaning: String
    ) -> Number? {
        if given == nil { add("\(flag) is missing: \(meaning).") }
        return number(given, flag, range)
    }

    /// Notes words that are no option of `command`, and options that are given more than once.
    ///
    /// - Parameter repeatable: those that may be.
    mutating func refuse(
        _ words: [String], of command: any ParsableCommand.Type, repeatable: Set<String> = []
    ) {
        let known = command.optionNames
        let given = CommandLine.arguments.dropFirst().map { String($0.prefix { $0 != "=" }) }
        for name in known where !repeatable.contains(name) {
            let count = given.count { $0 == name }
            if count > 1 { add("\(name) is given \(count) times: give it once.") }
        }
        for word in words {
            let name = String(word.prefix { $0 != "=" })
            guard name.hasPrefix("-") else {
                add("'\(word)' belongs to no option.")
                continue
            }
            let suggestion = nearest(to: name, among: known).map { ": did you mean \($0)?" } ?? "."
            add("There is no option \(name)\(suggestion)")
        }
    }

    /// Throws what was noted, if anything was.
    func finish() throws(UsageError) {
        if !problems.isEmpty { throw UsageError(problems: problems) }
    }
}

extension ParsableCommand {
    /// The names of its options, with their dashes.
    static var optionNames: [String] { optionNames(takingValues: false) }

    /// The names of the options that the command line has, but for some.
    static func givenOptions(except some: Set<String>) -> [String] {
        let given = Set(CommandLine.arguments.map { String($0.prefix { $0 != "=" }) })
        return optionNames.filter { given.contains($0) && !some.contains($0) }
    }

    /// All names, or those alone of options that take a value. They are read from the help, which
    /// the parser makes of the options.
    static func optionNames(takingValues: Bool) -> [String] {
        helpMessage(columns: 10_000).split(separator: "\n").compactMap { line in
            guard let option = line.prefixMatch(of: #/  (?:-[a-z], )?(--[a-z][a-z-]*)( <)?/#) else { return nil }
            return takingValues && option.2 == nil ? nil : String(option.1)
        }
    }
}

/// The words of a command line that are no option's.
struct Unrecognized: ParsableArguments {
    @Argument(parsing: .allUnrecognized, help: .hidden)
    var words: [String] = []
}
