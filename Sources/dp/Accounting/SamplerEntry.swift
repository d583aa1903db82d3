import CommandLineSupport
import Foundation
import PrivacyMechanisms

/// A sampler on the command line.
///
/// ``all`` is the table of them: to add one, write an entry, and an option in ``SamplingOptions`` for each number that
/// no other sampler has. The sampler is made as plan files make it, from its `kind` and the keys of its options.
struct SamplerEntry: Sendable {
    /// The word for it.
    let name: String
    /// Its name in plan files.
    let kind: String
    /// What it does, for the help.
    let about: String
    /// The options that it needs.
    let needed: [SamplerOption]
    /// The options that it has beside them.
    var optional: [SamplerOption] = []
    /// An option that one of the others cannot be without, by the other's key.
    var companions: [String: SamplerOption] = [:]
    /// Whether its steps come in epochs, which may be counted instead.
    var hasEpochs = false
    /// Whether `dp calibrate` finds its sampling probability and its number of steps, too.
    var isSolvable = false
    /// Values of keys that a plan needs and ε does not depend on.
    var rest: [String: JSONValue] = [:]
    /// Its settings that do the same work as other samplers, for `dp compare`.
    var equivalents: @Sendable (Workload) -> [Workload.Equivalent] = { _ in [] }

    /// A data set for those whose ε does not depend on its size, large enough for any number of groups.
    private static let anyExamples: [String: JSONValue] = ["exampleCount": .integer(1 << 24)]

    static let poisson = SamplerEntry(
        name: "poisson", kind: "poisson", about: "each example with the same probability, independently",
        needed: [.samplingProbability], isSolvable: true, rest: anyExamples
    ) { [.numbers(["samplingProbability": JSONValue($0.samplingProbability)])] }

    static let all: [SamplerEntry] = [
        poisson,
        SamplerEntry(
            name: "user", kind: "user", about: "each user with the same probability; ε is that of a user",
            needed: [.samplingProbability], isSolvable: true, rest: ["owners": .list([]), "userCount": .integer(0)]),
        SamplerEntry(
            name: "cyclic-poisson", kind: "cyclic-poisson", about: "groups in turn, Poisson within a group",
            needed: [.bands, .samplingProbability], optional: [.partition, .examples, .limit],
            companions: ["maximumBatchSize": .examples], rest: anyExamples
        ) { work in
            let probability = work.samplingProbability * Double(work.bands)
            guard probability <= 1 else {
                return [.none("a batch would be more than one of \(work.bands) groups: choose fewer with --bands.")]
            }
            return [.numbers(["bands": .integer(work.bands), "samplingProbability": JSONValue(probability)])]
        },
        SamplerEntry(
            name: "b-min-sep", kind: "b-min-sep", about: "Poisson, with a pause after each participation",
            needed: [.separation, .samplingProbability], rest: anyExamples
        ) { work in
            guard work.samplingProbability <= 1 / Double(work.bands) else {
                return [
                    .none(
                        "with \(work.bands) steps between participations batches are smaller: choose less with --bands."
                    )
                ]
            }
            return [
                .numbers([
                    "separation": .integer(work.bands), "samplingProbability": JSONValue(work.samplingProbability),
                ])
            ]
        },
        SamplerEntry(
            name: "truncated", kind: "truncated-poisson", about: "Poisson, cut to a largest batch; n is public",
            needed: [.examples, .samplingProbability, .limit]
        ) { work in
            [
                .numbers([
                    "samplingProbability": JSONValue(work.samplingProbability),
                    "maximumBatchSize": .integer(work.limit),
                ])
            ]
        },
        SamplerEntry(
            name: "fixed-size", kind: "fixed-size", about: "m of n examples in every step; n is public",
            needed: [.examples, .batch], optional: [.withReplacement]
        ) { work in
            [false, true].map {
                .numbers(["batchSize": .integer(work.batchSize), "isWithReplacement": .flag($0)])
            }
        },
        SamplerEntry(
            name: "balls-in-bins", kind: "balls-in-bins", about: "each example in one of an epoch's steps",
            needed: [.bins], optional: [.redrawn], hasEpochs: true, rest: anyExamples
        ) { work in
            [false, true].map {
                .numbers(
                    ["bins": .integer(work.stepsPerEpoch), "isRedrawnEachEpoch": .flag($0)],
                    work.remark(onEpochsOf: work.stepsPerEpoch))
            }
        },
        SamplerEntry(
            name: "random-allocation", kind: "random-allocation", about: "each example in k of an epoch's steps",
            needed: [.blockSteps, .participations], hasEpochs: true, rest: anyExamples
        ) { work in
            [
                .numbers(
                    ["stepsPerEpoch": .integer(work.stepsPerEpoch), "participations": .integer(1)],
                    work.remark(onEpochsOf: work.stepsPerEpoch))
            ]
        },
        SamplerEntry(
            name: "shuffled-epochs", kind: "shuffled-epochs",
            about: "the shuffled data in order, without amplification; n is public",
            needed: [.examples, .batch], hasEpochs: true
        ) { [.numbers(["batchSize": .integer($0.batchSize)])] },
        SamplerEntry(
            name: "several-owners", kind: "several-owners",
            about: "examples that users share, each user's far enough apart; who owns what is public",
            needed: [.separation, .blockSteps], optional: [.contributions],
            rest: ["owners": .list([]), "ownerCount": .integer(0)]),
    ]

    /// The options that say what a sampler is, each of them once.
    static var options: [SamplerOption] {
        var options: [SamplerOption] = []
        for option in all.flatMap({ $0.needed + $0.optional })
        where !options.contains(where: { $0.flag == option.flag }) {
            options.append(option)
        }
        return options
    }

    func has(_ flag: String) -> Bool { (needed + optional).contains { $0.flag == flag } }

    /// The sampler of these numbers.
    ///
    /// Throws ``UsageError`` for numbers that do not fit together, which names the option.
    func scheme(_ numbers: [String: JSONValue]) throws -> SamplingScheme {
        for (key, companion) in companions where numbers[key] != nil && numbers[companion.key] == nil {
            let flag = optional.first { $0.key == key }?.flag ?? key
            throw UsageError(problems: ["\(flag) needs \(companion.flag): what is cut depends on that number."])
        }
        let keys = rest.merging(numbers) { $1 }.merging(["kind": .text(kind)]) { $1 }
        do {
            return try JSONDecoder.exact.decode(
                SamplingScheme.self, from: JSONEncoder.exact.encode(JSONValue.object(keys)))
        } catch PrivacyMechanismError.invalidSamplingParameter(let name, let value, let allowed) {
            let flag = (needed + optional).first { $0.key == name }?.flag
            throw UsageError(problems: ["\(flag ?? name) is \(value), but must be \(allowed)."])
        }
    }

    /// The help on all samplers and their options.
    static var help: String {
        all.map { entry in
            let steps = entry.hasEpochs ? "--epochs or --iterations" : "--iterations"
            let options = entry.needed.map(\.flag) + [steps] + entry.optional.map { "[\($0.flag)]" }
            return "\(entry.name): \(entry.about). \(options.joined(separator: " "))"
        }.joined(separator: "\n")
    }
}

extension SamplerEntry: OptionValue {
    /// Reads the word for it, or its name in plan files.
    init?(written: String) {
        guard let entry = Self.all.first(where: { [$0.name, $0.kind].contains(written) }) else { return nil }
        self = entry
    }

    static var choices: [String] { all.map(\.name) }
    static var expectation: String { "one of \(choices.joined(separator: ", "))" }
    var json: JSONValue { .text(name) }
}
