/// An option that describes a sampler: what it is called on the command line, in plan files and in tables.
struct SamplerOption: Sendable {
    /// As on the command line.
    let flag: String
    /// As in plan files and in lines of JSON.
    let key: String
    /// As in tables.
    let symbol: String
    /// What is missing where it is, as in "--bins is missing: the number of bins.".
    let meaning: String
    /// Whether the command line has it.
    let isGiven: @Sendable (SamplingOptions) -> Bool
    /// Its value, if it is there. What is wrong with it is noted.
    let read: @Sendable (SamplingOptions, inout UsageCheck) -> JSONValue?

    /// An option that takes a number.
    static func number<Number: OptionValue & Sendable>(
        _ flag: String, _ key: String, _ symbol: String, _ range: NumberRange, _ meaning: String,
        _ given: @escaping @Sendable (SamplingOptions) -> Given<Number>?
    ) -> SamplerOption {
        SamplerOption(flag: flag, key: key, symbol: symbol, meaning: meaning, isGiven: { given($0) != nil }) {
            options, check in check.number(given(options), flag, range)?.json
        }
    }

    /// An option that takes one of several words.
    static func choice<Choice: OptionValue & Sendable>(
        _ flag: String, _ key: String, _ symbol: String, _ meaning: String,
        _ given: @escaping @Sendable (SamplingOptions) -> Given<Choice>?
    ) -> SamplerOption {
        SamplerOption(flag: flag, key: key, symbol: symbol, meaning: meaning, isGiven: { given($0) != nil }) {
            options, check in check.value(given(options), flag)?.json
        }
    }

    /// A flag.
    static func flag(
        _ flag: String, _ key: String, _ symbol: String, _ meaning: String,
        _ isGiven: @escaping @Sendable (SamplingOptions) -> Bool
    ) -> SamplerOption {
        SamplerOption(flag: flag, key: key, symbol: symbol, meaning: meaning, isGiven: isGiven) { options, _ in
            .flag(isGiven(options))
        }
    }

    /// How a table shows a value of it.
    func text(_ value: JSONValue) -> String {
        switch value {
        case .flag(let flag): flag ? "yes" : "no"
        case .text(let text): text
        default: value.asNumber.map(shortest) ?? "–"
        }
    }
}

extension SamplerOption {
    static let samplingProbability = number(
        "--sampling-probability", "samplingProbability", "q", .probability, "the chance to be in a batch, such as 0.01"
    ) { $0.samplingProbability }
    static let examples = number("--examples", "exampleCount", "n", .atLeast(1), "the number of examples") {
        $0.examples
    }
    static let batch = number("--batch", "batchSize", "m", .atLeast(1), "the number of examples in a batch") {
        $0.batch
    }
    static let withReplacement = flag(
        "--with-replacement", "isWithReplacement", "with replacement", "whether an example can be drawn twice"
    ) { $0.withReplacement }
    static let bands = number("--bands", "bands", "b", .atLeast(1), "the number of groups") { $0.bands }
    static let partition = choice("--partition", "partition", "partition", "how examples come to their groups") {
        $0.partition
    }
    static let separation = number(
        "--separation", "separation", "b", .atLeast(1), "the least number of steps between participations"
    ) { $0.separation }
    static let limit = number("--limit", "maximumBatchSize", "limit", .atLeast(1), "the largest batch") { $0.limit }
    static let bins = number("--bins", "bins", "b", .atLeast(1), "the number of bins, the steps of an epoch") {
        $0.bins
    }
    static let redrawn = flag(
        "--redrawn", "isRedrawnEachEpoch", "redrawn", "whether each epoch has bins of its own"
    ) { $0.redrawn }
    static let blockSteps = number("--block-steps", "stepsPerEpoch", "t", .atLeast(1), "the steps of an epoch") {
        $0.blockSteps
    }
    static let participations = number(
        "--participations", "participations", "k", .atLeast(0), "in how many steps of an epoch an example is"
    ) { $0.participations }
    static let contributions = number(
        "--contributions", "contributionBound", "m", .atLeast(1), "the most examples of a user in an epoch"
    ) { $0.contributions }
}

/// Six significant digits: JSON has all of them.
func shortest(_ value: Double) -> String {
    value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : String(format: "%.6g", value)
}
