/// An object of a configuration file: which keys it has, what they mean, and what their values may be.
///
/// `dp help formats` prints the groups, files and options are checked against them before anything else reads them,
/// and the tests hold them against the decoders.
struct SettingGroup: Sendable {
    /// What the object is called.
    let name: String
    let about: String
    /// The keys that every object of the group has.
    let settings: [Setting]
    /// The key whose value decides about further keys, and the values that it may have.
    let kinds: Kinds?

    struct Kinds: Sendable {
        let key: String
        let choices: [Kind]
        /// Values that there were, and what is said of them: "is 'old', …: write 'new'."
        var retired: [String: String] = [:]
    }

    struct Kind: Sendable {
        let name: String
        let about: String
        let settings: [Setting]
    }

    init(_ name: String, _ about: String, _ settings: [Setting], kinds: Kinds? = nil) {
        self.name = name
        self.about = about
        self.settings = settings
        self.kinds = kinds
    }

    /// The settings of an object whose kind is `kind`.
    func settings(ofKind kind: String?) -> [Setting] {
        settings + (kinds?.choices.first { $0.name == kind }?.settings ?? [])
    }
}

/// A key of a configuration file.
struct Setting: Sendable {
    let key: String
    let kind: Kind
    /// What holds where the key is left out, in words; nil where it may not be.
    let absent: String?
    /// A value, as JSON.
    let example: String
    let meaning: String

    init(_ key: String, _ kind: Kind, absent: String? = nil, example: String, _ meaning: String) {
        self.key = key
        self.kind = kind
        self.absent = absent
        self.example = example
        self.meaning = meaning
    }

    /// What a value may be.
    indirect enum Kind: Sendable {
        case number(NumberRange)
        case whole(NumberRange)
        case flag
        case text
        case choice([String])
        case group(SettingGroup)
        /// An object of a group that its own settings lead to again.
        case nested(@Sendable () -> SettingGroup)
        case list(Kind)
        /// An object with any keys, and values of one kind, or such objects again.
        case tree(Kind)
        /// Any of them: the first whose JSON type fits decides what is wrong.
        case either([Kind])
    }
}

/// The numbers that a setting may have.
struct NumberRange: Sendable {
    /// As in "must be in (0, ∞)".
    let text: String
    let contains: @Sendable (Double) -> Bool

    static let any = NumberRange(text: "a number") { !$0.isNaN }
    static let finite = NumberRange(text: "finite") { $0.isFinite }
    static let positive = NumberRange(text: "in (0, ∞)") { $0 > 0 && $0 < .infinity }
    static let notNegative = NumberRange(text: "at least 0, and finite") { $0 >= 0 && $0 < .infinity }
    static let probability = NumberRange(text: "in [0, 1]") { (0...1).contains($0) }
    static let insideUnit = NumberRange(text: "in (0, 1)") { $0 > 0 && $0 < 1 }
    static let belowOne = NumberRange(text: "in [0, 1)") { $0 >= 0 && $0 < 1 }
    static let fraction = NumberRange(text: "in (0, 1]") { $0 > 0 && $0 <= 1 }
    static let clipNorm = NumberRange(text: "between 1e-100 and 1e100; 1 is usual") {
        (1e-100...1e100).contains($0) || $0 == .infinity
    }
    static let constant = NumberRange(text: "between 1e-100 and 1e100") { (1e-100...1e100).contains($0) }

    static let classCount = NumberRange(text: "in 2...1000000") { (2...1_000_000).contains($0) }

    static func atLeast(_ least: Double) -> NumberRange {
        NumberRange(text: "at least \(Int(least))") { $0 >= least && $0 < .infinity }
    }
}
