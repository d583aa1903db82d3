import ArgumentParser
import CommandLineSupport
import PrivacyAccounting
import PrivateTraining
import Requirements

struct EpsilonCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epsilon",
        abstract: "What private training costs under any sampling: ε for δ, or δ for ε.",
        discussion: """
            The noise multiplier is the noise's standard deviation over the clip norm, whatever the relation: \
            replace-one doubles the sensitivity itself. The noise is a Gaussian of real numbers. Plans have discrete \
            noise, which costs less than a hundred-thousandth more; 'dp plan' adds it.

            Samplers, with the options that describe them:
            \(SamplerEntry.help)
            """)

    /// One accountant, or all of them, or a simulation.
    enum Choice: OptionValue {
        case one(PlanAccountant), all, simulation

        init?(written: String) {
            if written == "all" {
                self = .all
            } else if written == "simulation" {
                self = .simulation
            } else {
                guard let accountant = PlanAccountant(rawValue: written) else { return nil }
                self = .one(accountant)
            }
        }

        static var choices: [String] { PlanAccountant.choices + ["all", "simulation"] }
        static var expectation: String { "one of \(choices.joined(separator: ", "))" }

        var json: JSONValue {
            switch self {
            case .one(let accountant): accountant.json
            case .all: .text("all")
            case .simulation: .text("simulation")
            }
        }

        var accountants: [PlanAccountant] {
            switch self {
            case .one(let accountant): [accountant]
            case .all: PlanAccountant.allCases
            case .simulation: []
            }
        }

        var isSimulation: Bool {
            if case .simulation = self { true } else { false }
        }
    }

    @Option(parsing: .unconditional, help: "Noise standard deviation over clip norm, at least 0.")
    var noiseMultiplier: Given<Double>?

    @OptionGroup var sampling: SamplingOptions

    @Option(
        parsing: .unconditionalSingleValue,
        help: "δ, in [0, 1): ε is asked for. Several with commas between, or repeated: a row for each.")
    var delta: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: "ε, at least 0, instead of δ: δ is asked for. Several as with --delta.")
    var epsilon: [String] = []

    @Option(
        parsing: .unconditional,
        help: """
            pld is tight and comes with a lower bound, rdp is above it, all shows every one that applies; simulation \
            bounds δ by chance, with a confidence, for strategies of correlated noise. (default: pld)
            """)
    var accountant: Given<Choice>?

    @OptionGroup var simulation: SimulationOptions

    @OptionGroup var shared: SharedOptions

    @OptionGroup var unrecognized: Unrecognized

    func run() throws {
        var check = UsageCheck()
        check.refuse(unrecognized.words, of: Self.self, repeatable: ["--coefficients", "--delta", "--epsilon"])
        let format = check.value(shared.format, "--format") ?? .table
        let choice = check.value(accountant, "--accountant") ?? .one(.pld)
        let z = check.required(noiseMultiplier, "--noise-multiplier", .notNegative, "noise over clip norm, such as 1.1")
        let described = sampling.setting(&check, relation: shared.relation, leastSteps: 0)
        let deltas = check.numbers(delta, "--delta", .belowOne)
        let epsilons = check.numbers(epsilon, "--epsilon", .notNegative)
        switch (delta.isEmpty, epsilon.isEmpty) {
        case (true, true):
            check.add("--delta is missing: far below one over the number of examples; or --epsilon, to ask for δ.")
        case (false, false): check.add("--delta asks for ε, and --epsilon for δ: leave one of them out.")
        default: break
        }
        let simulated = simulation.checked(&check, isAsked: choice.isSimulation)
        if choice.isSimulation {
            SimulationOptions.Checked.refuse(
                described, epsilons: !epsilon.isEmpty, charts: shared.charts, &check)
        }
        try check.finish()
        guard let z, var setting = described else { fail("What is missing was refused.") }
        setting.noiseMultiplier = z
        setting.tellRelation(given: shared.relation)
        if choice.isSimulation { return try AccountingRow.show(simulated.rows(epsilons, of: setting), as: format) }
        let questions = deltas.map { Question.epsilon(delta: $0) } + epsilons.map { Question.delta(epsilon: $0) }
        let answers = try answers(questions, of: setting, by: choice)
        try AccountingRow.show(answers.map(\.row), as: format)
        try ChartedSetting.draw(
            answers.map { ChartedSetting(setting: setting, accountant: $0.accountant, question: $0.row.question) },
            shared.charts)
    }

    /// A row for each question and each accountant that has a bound; of several accountants, one that has none is
    /// noted.
    private func answers(
        _ questions: [Question], of setting: AccountedSetting, by choice: Choice
    ) throws -> [(accountant: any PrivacyAccountant, row: AccountingRow)] {
        var refusals: [AccountingError] = []
        var answers: [(accountant: any PrivacyAccountant, row: AccountingRow)] = []
        for question in questions {
            for accountant in choice.accountants.map({ $0.make(relation: setting.relation) }) {
                do {
                    answers.append((accountant, try AccountingRow(question, of: setting, by: accountant)))
                } catch let error as AccountingError {
                    guard case .unsupported = error else { throw error }
                    if !refusals.contains(error) { refusals.append(error) }
                }
            }
        }
        if answers.isEmpty, let refusal = refusals.first { throw refusal }
        refusals.forEach { note("\($0)") }
        return answers
    }
}
