import ArgumentParser
import CommandLineSupport
import PrivacyAuditing

/// What canaries are, and what is made of their scores.
struct AuditOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: """
            How many canaries there are, in and out together, at least 1. (default: 1000, or as many as the model has \
            parameters and the plan examples, whichever is least)
            """)
    var canaries: Given<Int>?

    @Option(
        parsing: .unconditional,
        help: """
            What canaries are: gradient for an attacker who sees every step, label for examples with wrong labels and \
            an attacker who sees the model alone. (default: gradient)
            """)
    var kind: Given<CanaryWord>?

    @Option(
        parsing: .unconditional,
        help: "Which gradients canaries have: a parameter each, or random ones. (default: coordinates)")
    var directions: Given<CanaryDirections>?

    @Option(
        parsing: .unconditional,
        help: """
            What a gradient's score is made of: likelihood-ratio, or repeated-noise, which sees noise that is used \
            twice. (default: likelihood-ratio)
            """)
    var score: Given<CanaryScoring>?

    @Option(parsing: .unconditional, help: "How many runs there are, whose scores are put together. (default: 1)")
    var runs: Given<Int>?

    @Option(parsing: .unconditional, help: "The confidence of each bound, in (0, 1). (default: 0.95)")
    var confidence: Given<Double>?

    @Option(
        parsing: .unconditional,
        help: "Which bound decides. (default: plan-family of gradients, one-run of labels)")
    var statistic: Given<AuditStatistic>?

    @Option(
        parsing: .unconditional,
        help: """
            From which score on a canary is taken for included: corrected tries all scores and corrects for it, split \
            chooses on half of them, a number is chosen by you. (default: corrected; 0 of plan-family and exact-tail \
            on likelihood-ratio)
            """)
    var threshold: Given<ThresholdChoice>?

    @Option(help: "Write a page with the histograms into this HTML file.", completion: .file(extensions: ["html"]))
    var output: String?

    @Option(
        parsing: .unconditional, help: "Replay canaries, noise and sampling from a seed. Proves nothing: for tests.")
    var nonPrivateSeed: Given<UInt64>?

    @Option(parsing: .unconditional, help: "How many threads to use. (default: all that there are)")
    var threads: Given<Int>?

    @Option(parsing: .unconditional, help: "A table for people, or one JSON object as the last line. (default: table)")
    var format: Given<OutputFormat>?

    /// Their names.
    static let names: Set = [
        "--canaries", "--kind", "--directions", "--score", "--runs", "--confidence", "--statistic", "--threshold",
        "--output", "--non-private-seed", "--threads", "--format",
    ]

    /// What they ask for. What means nothing, or has no effect, is noted.
    func request(_ check: inout UsageCheck) -> AuditRequest {
        let directions = check.value(directions, "--directions")
        let score = check.value(score, "--score")
        let isLabel = check.value(kind, "--kind") == .label
        let ofGradients = [("--directions", directions != nil), ("--score", score != nil)].filter(\.1).map(\.0)
        for flag in isLabel ? ofGradients : [] {
            check.add("\(flag) is of canaries that are gradients, but --kind is label: leave one of them out.")
        }
        return AuditRequest(
            canaries: check.number(canaries, "--canaries", .atLeast(1)),
            kind: isLabel ? .label : .gradient(directions ?? .coordinates, score ?? .likelihoodRatio),
            runs: check.number(runs, "--runs", .atLeast(1)) ?? 1,
            confidence: check.number(confidence, "--confidence", .insideUnit) ?? 0.95,
            statistic: check.value(statistic, "--statistic"), threshold: check.value(threshold, "--threshold"),
            nonPrivateSeed: check.value(nonPrivateSeed, "--non-private-seed"))
    }
}

/// What canaries can be.
enum CanaryWord: String, CaseIterable, OptionValue {
    case gradient, label
}

extension CanaryDirections: OptionValue {}

extension CanaryScoring: OptionValue {}

extension AuditStatistic: OptionValue {}

extension ThresholdChoice: OptionValue {
    init?(written: String) {
        switch written {
        case "corrected": self = .corrected
        case "split": self = .split
        default:
            guard let number = Double(written: written), !number.isNaN else { return nil }
            self = .given(number)
        }
    }

    static var choices: [String] { ["corrected", "split"] }
    static var expectation: String { "corrected, split, or a number such as 0" }

    var json: JSONValue {
        switch self {
        case .corrected: .text("corrected")
        case .split: .text("split")
        case .given(let number): JSONValue(number)
        }
    }
}
