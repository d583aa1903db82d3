import ArgumentParser
import CommandLineSupport
import PrivacyAccounting
import PrivateTraining
import Requirements

struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate",
        abstract: "The noise multiplier that a budget asks for; or the number of steps or sampling probability.",
        discussion: """
            Describe the sampling, and the noise multiplier is found. Of poisson and user sampling, give two of \
            --noise-multiplier, --sampling-probability and --iterations; the third is found.

            Samplers, with the options that describe them:
            \(SamplerEntry.help)
            """)

    @Option(
        parsing: .unconditionalSingleValue,
        help: "Target ε, above 0. Several with commas between, or repeated: a row for each, with each δ.")
    var epsilon: [String] = []

    @Option(parsing: .unconditionalSingleValue, help: "Target δ, in [0, 1). Several as with --epsilon.")
    var delta: [String] = []

    @Option(parsing: .unconditional, help: "Noise standard deviation over clip norm, at least 0.")
    var noiseMultiplier: Given<Double>?

    @OptionGroup var sampling: SamplingOptions

    @Option(
        parsing: .unconditional, help: "The accountant: pld is tight, rdp asks for more noise. (default: pld)")
    var accountant: Given<PlanAccountant>?

    @OptionGroup var shared: SharedOptions

    @OptionGroup var unrecognized: Unrecognized

    /// What is looked for.
    private enum Unknown {
        case noiseMultiplier, samplingProbability, iterations
    }

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self, repeatable: ["--delta", "--epsilon"])
        let format = check.value(shared.format, "--format") ?? .table
        let choice = check.value(accountant, "--accountant") ?? .pld
        let epsilons = check.numbers(epsilon, "--epsilon", .positive)
        let deltas = check.numbers(delta, "--delta", .belowOne)
        if epsilon.isEmpty { check.add("--epsilon is missing: the target ε.") }
        if delta.isEmpty { check.add("--delta is missing: far below one over the number of examples.") }
        let z = check.number(noiseMultiplier, "--noise-multiplier", .notNegative)
        let described = sampling.setting(&check, relation: shared.relation, leastSteps: 1, isSolved: true)
        let unknown = unknown(&check)
        try check.finish()
        guard var setting = described, let unknown else { fail("What is missing was refused.") }
        setting.noiseMultiplier = z ?? 1
        // What was given is checked before the search, so that an error names it and not a trial value.
        _ = try setting.event()
        setting.tellRelation(given: shared.relation)
        let judge = choice.make(relation: setting.relation)
        let rows = try epsilons.flatMap { epsilon in
            try deltas.map { delta in
                let found = try Self.found(
                    unknown, of: setting, by: Calibration(judge, epsilon: epsilon, delta: delta))
                return try AccountingRow(.epsilon(delta: delta), of: found, by: judge)
            }
        }
        try AccountingRow.show(rows, as: format)
        try ChartedSetting.draw(
            rows.map { ChartedSetting(setting: $0.setting, accountant: judge, question: $0.question) }, shared.charts)
    }

    /// What the options leave open. What is left open beside it, or not at all, is noted.
    private func unknown(_ check: inout UsageCheck) -> Unknown? {
        let sampler = sampling.sampling.map(\.value) ?? .poisson
        guard let sampler, sampler.isSolvable else {
            if let sampler, noiseMultiplier != nil {
                check.add(
                    "--noise-multiplier is what is found with \(sampler.name) sampling: leave it out; 'dp epsilon' "
                        + "says what it costs.")
            }
            return .noiseMultiplier
        }
        let open: [Unknown] =
            (noiseMultiplier == nil ? [.noiseMultiplier] : [])
            + (sampling.samplingProbability == nil ? [.samplingProbability] : [])
            + (sampling.iterations == nil ? [.iterations] : [])
        if open.count != 1 {
            check.add(
                "\(3 - open.count) of --noise-multiplier, --sampling-probability and --iterations were given, but "
                    + "exactly 2 are needed: leave out the one to be found.")
        }
        return open.first
    }

    private static func found(
        _ unknown: Unknown, of setting: AccountedSetting, by calibration: Calibration
    ) throws -> AccountedSetting {
        var found = setting
        switch unknown {
        case .noiseMultiplier:
            found.noiseMultiplier = try calibration.noiseMultiplier { z throws(AccountingError) in
                try setting.trial { $0.noiseMultiplier = z }
            }
        case .samplingProbability:
            let key = SamplerOption.samplingProbability.key
            found.numbers[key] = JSONValue(
                try calibration.samplingProbability { q throws(AccountingError) in
                    try setting.trial { $0.numbers[key] = JSONValue(q) }
                })
        case .iterations:
            found.iterations = try calibration.iterations { count throws(AccountingError) in
                try setting.trial { $0.iterations = count }
            }
        }
        return found
    }
}
