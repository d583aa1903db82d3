import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining
import Requirements

/// What is accounted: a sampler's steps under Gaussian noise of real numbers.
struct AccountedSetting {
    let sampler: SamplerEntry
    /// The sampler's numbers, by their keys in plan files.
    var numbers: [String: JSONValue]
    /// The number of epochs, where steps were counted by them.
    var epochs: Int?
    var iterations: Int
    var noiseMultiplier: Double
    let relation: NeighboringRelation

    /// The sampler of these numbers. Throws ``UsageError``, which names the option that does not fit.
    func scheme() throws -> SamplingScheme { try sampler.scheme(numbers) }

    /// The event of the first `count` steps; of all if it is nil.
    func event(afterIterations count: Int? = nil) throws -> PrivacyEvent {
        try NoiseScheme.floatingPointGaussian.event(
            of: scheme().participation(in: count ?? iterations), noiseMultiplier: noiseMultiplier)
    }

    /// The event with some of the numbers changed by a search, whose values are in range.
    func trial(_ change: (inout AccountedSetting) -> Void) throws(AccountingError) -> PrivacyEvent {
        var setting = self
        change(&setting)
        do {
            return try setting.event()
        } catch let error as AccountingError {
            throw error
        } catch {
            fail("A value of a search was refused: \(error)")
        }
    }

    /// Steps come in blocks of so many, as far as who takes part in them is concerned.
    func stepsPerEpoch() throws -> Int { try scheme().stepsPerEpoch ?? 1 }

    /// In a few words, for charts.
    var text: String {
        let numbers = sampler.text(of: numbers)
        return (["z = \(shortest(noiseMultiplier))"] + (numbers.isEmpty ? [] : [numbers])).joined(separator: ", ")
    }
}

extension ParticipationPattern {
    /// Whether `event` is what steps of the pattern are, and not only no less than it: whether what no analysis of the
    /// event can go below bounds the steps from below, too.
    ///
    /// It is not where slots that nobody knows are taken to be known, where participations in unknown steps are
    /// counted, and where the last epoch is a part of one.
    func isDescribedExactly(by event: PrivacyEvent) -> Bool {
        switch choice {
        case .eachStep, .fixedSize: true
        // Slots, and whose turn it is, are known where every step is one.
        case .truncated(_, _, _, let period): period == 1
        case .slots: iterations > 1 && mostParticipations == iterations
        case .epochs(let length, let participations, _):
            participations == length || iterations % length == 0 && !event.countsGaussians
        }
    }
}

extension PrivacyEvent {
    /// Whether some of it is Gaussian noise on all records.
    fileprivate var countsGaussians: Bool {
        switch self {
        case .gaussian: true
        case .selfComposed(let repeated): repeated.event.countsGaussians
        case .composed(let parts): parts.events.contains { $0.countsGaussians }
        default: false
        }
    }
}

extension SamplingScheme {
    /// The number of steps of an epoch; nil for samplers that have none.
    var stepsPerEpoch: Int? {
        get throws {
            guard case .epochs(let length, _, _) = try participation(in: 0).choice else { return nil }
            return length
        }
    }
}

extension SamplerEntry {
    /// The numbers of it that say something, as tables call them.
    func text(of numbers: [String: JSONValue]) -> String {
        (needed + optional).compactMap { option in
            guard let value = numbers[option.key] else { return nil }
            switch value {
            case .flag(let flag): return flag ? option.symbol : nil
            case .text(let text): return text
            default: return "\(option.symbol) = \(option.text(value))"
            }
        }.joined(separator: ", ")
    }
}

extension SamplingOptions {
    /// The setting that the options describe: with the noise multiplier 1, and 1 for what is left open.
    ///
    /// Nil where something is wrong or missing, which is noted.
    func setting(
        _ check: inout UsageCheck, relation given: Given<NeighboringRelation>?, leastSteps: Int, isSolved: Bool = false
    ) -> AccountedSetting? {
        let relation = check.value(given, "--relation")
        let before = check.problems.count
        guard let choice = checked(&check, leastSteps: leastSteps, isSolved: isSolved),
            check.problems.count == before
        else { return nil }
        var numbers = choice.numbers
        for option in choice.sampler.needed where numbers[option.key] == nil { numbers[option.key] = .number(1) }
        do {
            let scheme = try choice.sampler.scheme(numbers)
            var iterations = choice.iterations ?? 1
            if let epochs = choice.epochs, let length = try scheme.stepsPerEpoch {
                let (steps, overflows) = epochs.multipliedReportingOverflow(by: length)
                if overflows { check.add("--epochs is \(epochs), but must be at most \(Int.max / length).") }
                iterations = steps
            }
            let covered = NeighboringRelation.allCases.filter(scheme.relations.contains)
            if let relation, !covered.contains(relation) {
                let names = covered.map(\.rawValue).joined(separator: ", ")
                check.add(
                    "--relation is \(relation.rawValue), which the analysis of \(choice.sampler.name) sampling does "
                        + "not cover, only \(names): choose one of these, or another sampler.")
            }
            guard check.problems.count == before else { return nil }
            return AccountedSetting(
                sampler: choice.sampler, numbers: numbers, epochs: choice.epochs, iterations: iterations,
                noiseMultiplier: 1, relation: relation ?? covered[0])
        } catch let error as UsageError {
            error.problems.forEach { check.add($0) }
            return nil
        } catch {
            check.add("\(error)")
            return nil
        }
    }
}

extension AccountedSetting {
    /// Says on standard error under which relation the answer holds, if nobody asked for it and it is not the usual
    /// one.
    func tellRelation(given: Given<NeighboringRelation>?) {
        guard given == nil, relation != .addOrRemoveOne else { return }
        note(
            "The answer is for \(relation.rawValue): the analysis of \(sampler.name) sampling does not cover "
                + "\(NeighboringRelation.addOrRemoveOne.rawValue). --relation says which one is meant.")
    }
}
