import ArgumentParser
import CommandLineSupport
import PrivacyAccounting
import PrivateTraining
import Requirements

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Several plans in one table; or every sampler, or every noise, at the same work: which is best.",
        discussion: """
            With files, as 'dp plan' reads them, each is a row. Without files, --examples, --batch, --epochs, --delta \
            and --noise-multiplier describe the work: the samplers that do it, with the same expected batch and the \
            same number of steps, come in the order of their ε. With --epsilon in the place of --noise-multiplier \
            their noise is calibrated, and comes in its order.

            With --noise correlated, --examples, --batch, --epochs, --epsilon and --delta ask how to spend a budget: \
            DP-SGD and noise that is correlated over steps, by every kind of strategy and under the sampling that \
            suits it, come in the order of their predicted error: the standard deviation of the noise in a prefix sum \
            of mean gradients, clipped to 1. Bytes are what a run keeps of past steps for each parameter; strategies \
            that keep nothing draw past noise again: banded-inverse that of few steps, dense that of all. 'dp train' \
            takes the strategy's name as --strategy.

            An ε holds for the relation in its row. Those of different relations are different promises.
            """)

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp(
            "Plans, or configurations with one (such as RUN/config.json), in JSON files; - for standard input.",
            valueName: "files"),
        completion: .file(extensions: ["json"]))
    var words: [String] = []

    @Option(parsing: .unconditional, help: "Number of examples.")
    var examples: Given<Int>?

    @Option(parsing: .unconditional, help: "Expected number of examples in a batch.")
    var batch: Given<Int>?

    @Option(parsing: .unconditional, help: "How often the data is gone through on average.")
    var epochs: Given<Double>?

    @Option(parsing: .unconditional, help: "Noise standard deviation over clip norm, at least 0.")
    var noiseMultiplier: Given<Double>?

    @Option(parsing: .unconditional, help: "Target ε, above 0, instead of the noise multiplier.")
    var epsilon: Given<Double>?

    @Option(parsing: .unconditional, help: "δ, in [0, 1).")
    var delta: Given<Double>?

    @Option(
        parsing: .unconditional,
        help: "Compare samplers under independent noise, or strategies of correlated noise. (default: independent)")
    var noise: Given<ComparedNoise>?

    @OptionGroup var files: StrategyFileOptions

    @Option(
        parsing: .unconditional,
        help: "Groups of cyclic-poisson, and steps between participations of b-min-sep. (default: 2)")
    var bands: Given<Int>?

    @Option(
        parsing: .unconditional,
        help: "Largest batch of truncated sampling. (default: six standard deviations above --batch)")
    var limit: Given<Int>?

    @Option(
        parsing: .unconditional, help: "The accountant: pld is tight, rdp is above it. (default: pld)")
    var accountant: Given<PlanAccountant>?

    @Option(
        parsing: .unconditional,
        help: "The relation of all samplers; those that do not cover it are left out. (default: each one's own)")
    var relation: Given<NeighboringRelation>?

    @Option(parsing: .unconditional, help: "How to print. (default: table)")
    var format: Given<OutputFormat>?

    @OptionGroup var charts: ChartOptions

    func run() throws {
        var check = UsageCheck()
        let files = words.filter { $0 == "-" || !$0.hasPrefix("-") }
        check.refuse(words.filter { $0 != "-" && $0.hasPrefix("-") }, of: Self.self)
        let format = check.value(format, "--format") ?? .table
        if files.isEmpty, check.value(noise, "--noise") == .correlated { return try showNoise(&check, as: format) }
        let rows = files.isEmpty ? try samplers(&check) : try plans(files, &check)
        try ComparedRow.show(rows, as: format)
        if let path = charts.plot {
            let deltas = Set(rows.map(\.delta))
            let title = deltas.count == 1 ? "ε at δ = \(rows[0].delta)" : "ε"
            try PrivacyCurve(title: title, yLabel: "ε", lines: rows.map(\.line)).write(to: path)
        }
        if let path = charts.tradeOff {
            try TradeOffChart(
                title: "Trade-off after all steps", curves: rows.map { ($0.name, try $0.tradeOffCurve()) }
            ).write(to: path)
        }
    }

    /// A row for each file.
    private func plans(_ files: [String], _ check: inout UsageCheck) throws -> [ComparedRow] {
        let options: [(flag: String, isGiven: Bool)] = [
            ("--examples", examples != nil), ("--batch", batch != nil), ("--epochs", epochs != nil),
            ("--noise-multiplier", noiseMultiplier != nil), ("--epsilon", epsilon != nil), ("--delta", delta != nil),
            ("--noise", noise != nil), ("--bands", bands != nil), ("--limit", limit != nil),
            ("--accountant", accountant != nil),
            ("--relation", relation != nil),
        ]
        let extra = options.filter(\.isGiven).map(\.flag)
        if !extra.isEmpty {
            check.add("Files say everything about their plans: leave \(extra.joined(separator: ", ")) out.")
        }
        if files.count(where: { $0 == "-" }) > 1 {
            check.add("'-' is given \(files.count { $0 == "-" }) times, but standard input can be read once.")
        }
        try check.finish()
        let fitter = try StrategyFitter(file: self.files.strategies)
        return try files.map { file in
            let plan = try PlanFile(file).plan(fitter)
            for warning in plan.warnings() { warn("\(file): \(warning)") }
            return try ComparedRow(plan, name: file)
        }
    }

    /// The work that the options describe; nil where something is wrong or missing, which is noted.
    func work(_ check: inout UsageCheck) -> Workload? {
        let n = check.required(examples, "--examples", .atLeast(1), "the number of examples; or name files")
        let m = check.required(batch, "--batch", .atLeast(1), "the expected number of examples in a batch")
        let passes = check.required(epochs, "--epochs", .notNegative, "how often the data is gone through")
        let bands = check.number(bands, "--bands", .atLeast(1)) ?? 2
        let limit = check.number(limit, "--limit", .atLeast(1))
        if let n, let m, m > n { check.add("--batch is \(m), but must be at most the number of examples, \(n).") }
        if let n, let m, let passes, passes * (Double(n) / Double(m)) > 1e15 {
            check.add("--epochs is \(passes), but must be small enough for at most 1e15 steps.")
        }
        guard let n, let m, let passes, passes * (Double(n) / Double(m)) <= 1e15 else { return nil }
        return Workload(
            exampleCount: n, batchSize: m, iterations: Int((passes * (Double(n) / Double(m))).rounded()), bands: bands,
            limit: limit ?? Int(min(Double(n), (Double(m) + 6 * Double(m).squareRoot()).rounded(.up))))
    }

    /// A row for each sampler that does the work, the best first.
    private func samplers(_ check: inout UsageCheck) throws -> [ComparedRow] {
        let choice = check.value(accountant, "--accountant") ?? .pld
        let relation = check.value(relation, "--relation")
        let work = work(&check)
        let z = check.number(noiseMultiplier, "--noise-multiplier", .notNegative)
        let target = check.number(epsilon, "--epsilon", .positive)
        let delta = check.required(delta, "--delta", .belowOne, "far below one over the number of examples")
        if (noiseMultiplier == nil) == (epsilon == nil) {
            check.add(
                "Exactly one of --noise-multiplier and --epsilon is needed: the noise, or what it is calibrated to.")
        }
        if files.strategies != nil { check.add("--strategies belongs to --noise correlated.") }
        try check.finish()
        guard let work, let delta else { fail("What is missing was refused.") }
        let comparison = SamplerComparison(
            work: work, noiseMultiplier: z, epsilon: target, delta: delta, accountant: choice, relation: relation)
        return try comparison.rows()
    }
}
