import CommandLineSupport
import Foundation
import PrivacyAccounting

/// One of ε and δ is given, and the other one asked for.
enum Question: Hashable {
    /// ε for this δ.
    case epsilon(delta: Double)
    /// δ for this ε.
    case delta(epsilon: Double)

    /// What is asked for, over the steps, in charts.
    var symbol: String {
        switch self {
        case .epsilon: "ε"
        case .delta: "δ"
        }
    }

    /// What is given, in charts.
    var text: String {
        switch self {
        case .epsilon(let delta): "δ = \(JSONValue(delta).brief)"
        case .delta(let epsilon): "ε = \(JSONValue(epsilon).brief)"
        }
    }

    /// The answer, from above.
    func answer(of event: PrivacyEvent, by accountant: any PrivacyAccountant) throws -> Double {
        switch self {
        case .epsilon(let delta): try accountant.epsilon(of: event, delta: delta)
        case .delta(let epsilon): try accountant.delta(of: event, epsilon: epsilon)
        }
    }
}

extension Question {
    /// The answer, from above and, where it is known, from below: of an event that only covers what is done, nothing is
    /// known from below.
    func ends(
        of event: PrivacyEvent, by accountant: any PrivacyAccountant, isExact: Bool
    ) throws -> (lower: Double?, upper: Double) {
        guard isExact else { return (nil, try answer(of: event, by: accountant)) }
        return switch self {
        case .epsilon(let delta): try accountant.epsilonEnds(of: event, delta: delta)
        case .delta(let epsilon): try accountant.deltaEnds(of: event, epsilon: epsilon)
        }
    }
}

/// One line of output: what an accountant says of a setting.
struct AccountingRow: Encodable {
    let setting: AccountedSetting
    let question: Question
    let accountant: String
    /// The answer, from above and, where it is known, from below.
    let ends: (lower: Double?, upper: Double)
    /// What a simulation was, and the probability with which its answer holds; nil for what is certain.
    private var simulation: (found: SimulatedDelta, coefficients: [Double])?

    /// What a simulation of `setting` has found.
    init(_ found: SimulatedDelta, of setting: AccountedSetting, by simulation: SimulationOptions.Checked) {
        self.setting = setting
        question = .delta(epsilon: found.epsilon)
        accountant = "simulation"
        ends = (nil, found.delta)
        self.simulation = (found, simulation.coefficients)
    }

    init(_ question: Question, of setting: AccountedSetting, by accountant: any PrivacyAccountant) throws {
        let event = try setting.event()
        self.setting = setting
        self.question = question
        self.accountant = type(of: accountant).name
        let isExact = try setting.scheme().participation(in: setting.iterations).isDescribedExactly(by: event)
        ends = try question.ends(of: event, by: accountant, isExact: isExact)
    }

    /// Writes the numbers of the question, of the answer and of the setting under the names of plan files. The lower
    /// end of ε is always there, and that of δ where δ was asked for: null where it is not known.
    func encode(to encoder: any Encoder) throws {
        var object = setting.numbers
        if setting.sampler.kind != SamplerEntry.poisson.kind { object["sampling"] = .text(setting.sampler.kind) }
        object["iterations"] = .integer(setting.iterations)
        object["epochs"] = setting.epochs.map { .integer($0) }
        object["noiseMultiplier"] = JSONValue(setting.noiseMultiplier)
        object["accountant"] = .text(accountant)
        object["relation"] = .text(setting.relation.rawValue)
        let lower = ends.lower.map { JSONValue($0) } ?? .null
        switch question {
        case .epsilon(let delta):
            object["epsilon"] = JSONValue(ends.upper)
            object["lowerBound"] = lower
            object["delta"] = JSONValue(delta)
        case .delta(let epsilon):
            object["epsilon"] = JSONValue(epsilon)
            object["lowerBound"] = .null
            object["delta"] = JSONValue(ends.upper)
            object["lowerDelta"] = lower
        }
        if let simulation {
            object["confidence"] = JSONValue(simulation.found.confidence)
            object["sampleCount"] = .integer(simulation.found.sampleCount)
            object["coefficients"] = .list(simulation.coefficients.map { JSONValue($0) })
        }
        try JSONValue.object(object).encode(to: encoder)
    }

    /// Prints rows of one sampler, all of which ask for the same of ε and δ.
    static func show(_ rows: [AccountingRow], as format: OutputFormat) throws {
        guard let first = rows.first else { return }
        let sampler = first.setting.sampler
        typealias Column = RecordTable<AccountingRow>.Column
        var columns: [Column] = [.words("accountant") { $0.accountant }]
        if sampler.kind != SamplerEntry.poisson.kind { columns.append(.words("sampling") { $0.setting.sampler.name }) }
        columns += [
            .numbers(first.question.symbol) { $0.question.text(of: $0.ends.upper, up: true) },
            .numbers("at least") { row in row.ends.lower.map { row.question.text(of: $0, up: false) } ?? "–" },
            .numbers(first.question.givenSymbol) { $0.question.given },
            .numbers("z") { shortest($0.setting.noiseMultiplier) },
        ]
        for option in sampler.needed + sampler.optional where first.setting.numbers[option.key] != nil {
            columns.append(.numbers(option.symbol) { $0.setting.numbers[option.key].map(option.text) ?? "–" })
        }
        if first.simulation != nil {
            columns.append(.numbers("confidence") { $0.simulation.map { "\($0.found.confidence)" } ?? "–" })
        }
        columns += [.numbers("T") { "\($0.setting.iterations)" }, .words("relation") { $0.setting.relation.rawValue }]
        try RecordTable(rows, columns: columns).print(as: format)
    }
}

extension Question {
    fileprivate var givenSymbol: String {
        switch self {
        case .epsilon: "δ"
        case .delta: "ε"
        }
    }

    /// What is given, with all of its digits.
    fileprivate var given: String {
        switch self {
        case .epsilon(let delta): JSONValue(delta).brief
        case .delta(let epsilon): JSONValue(epsilon).brief
        }
    }

    /// An answer as people read it: from above (`up`) never shown smaller than it is, from below never larger.
    fileprivate func text(of answer: Double, up: Bool) -> String {
        switch self {
        case .epsilon: Epsilon.text(answer, up: up)
        case .delta: Delta.text(answer, up: up)
        }
    }
}
