import ArgumentParser
import PrivacyMechanisms
import Requirements

extension CyclicPoissonSampler.Partition: OptionValue {
    static var choices: [String] { [independent, equalSizes].map(\.rawValue) }
    static var expectation: String { "one of \(choices.joined(separator: ", "))" }
    init?(written: String) { self.init(rawValue: written) }
    var json: JSONValue { .text(rawValue) }
}

/// How batches are drawn, and how many of them: any sampler's options.
struct SamplingOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "How batches are drawn. (default: poisson)")
    var sampling: Given<SamplerEntry>?

    @Option(parsing: .unconditional, help: "Number of steps.")
    var iterations: Given<Int>?

    @Option(parsing: .unconditional, help: "Number of epochs, instead of steps, of samplers that have epochs.")
    var epochs: Given<Int>?

    @Option(
        parsing: .unconditional,
        help: "Chance of each example (or user) to be in a batch, in [0, 1], such as 256/60000.")
    var samplingProbability: Given<Double>?

    @Option(parsing: .unconditional, help: "Number of examples, where ε depends on it.")
    var examples: Given<Int>?

    @Option(parsing: .unconditional, help: "Number of examples in a batch.")
    var batch: Given<Int>?

    @Flag(help: "Let an example be drawn several times for one batch. (fixed-size)")
    var withReplacement = false

    @Option(parsing: .unconditional, help: "Number of groups that take turns. (cyclic-poisson)")
    var bands: Given<Int>?

    @Option(
        parsing: .unconditional,
        help: """
            How examples come to their groups. (cyclic-poisson; default: independent, or equal-sizes with --limit)
            """)
    var partition: Given<CyclicPoissonSampler.Partition>?

    @Option(parsing: .unconditional, help: "Least number of steps between participations. (b-min-sep, several-owners)")
    var separation: Given<Int>?

    @Option(parsing: .unconditional, help: "Largest number of examples in a batch. (truncated, cyclic-poisson)")
    var limit: Given<Int>?

    @Option(parsing: .unconditional, help: "Number of bins, the steps of an epoch. (balls-in-bins)")
    var bins: Given<Int>?

    @Flag(help: "Throw examples into bins anew in each epoch. (balls-in-bins)")
    var redrawn = false

    @Option(parsing: .unconditional, help: "Steps of an epoch. (random-allocation, several-owners)")
    var blockSteps: Given<Int>?

    @Option(parsing: .unconditional, help: "In how many steps of an epoch each example is. (random-allocation)")
    var participations: Given<Int>?

    @Option(
        parsing: .unconditional,
        help: "Most examples of a user in an epoch. (several-owners; default: as many as are far enough apart)")
    var contributions: Given<Int>?
}

extension SamplingOptions {
    /// What the options say of a sampler and its steps.
    struct Choice {
        let sampler: SamplerEntry
        /// The sampler's numbers, by their keys in plan files.
        let numbers: [String: JSONValue]
        let iterations: Int?
        let epochs: Int?
    }

    /// What is given. What is wrong, missing or another sampler's is noted.
    ///
    /// - Parameters:
    ///   - leastSteps: the least number of steps, and of epochs.
    ///   - isSolved: whether the noise multiplier may be given instead of the sampling probability or the number of
    ///     steps, with samplers that allow it.
    func checked(_ check: inout UsageCheck, leastSteps: Int, isSolved: Bool = false) -> Choice? {
        guard let sampler = sampling == nil ? .poisson : check.value(sampling, "--sampling") else { return nil }
        let mayLack = isSolved && sampler.isSolvable
        for option in SamplerEntry.options where option.isGiven(self) && !sampler.has(option.flag) {
            refuse(option.flag, of: sampler, &check) { $0.has(option.flag) }
        }
        var numbers: [String: JSONValue] = [:]
        for option in sampler.needed {
            if !mayLack, !option.isGiven(self) { check.add("\(option.flag) is missing: \(option.meaning).") }
            numbers[option.key] = option.read(self, &check)
        }
        for option in sampler.optional { numbers[option.key] = option.read(self, &check) }
        let range = NumberRange.atLeast(Double(leastSteps))
        let (steps, passes) = (
            check.number(iterations, "--iterations", range), check.number(epochs, "--epochs", range)
        )
        let countsEpochs = epochs != nil && sampler.hasEpochs
        if epochs != nil, !countsEpochs { refuse("--epochs", of: sampler, &check) { $0.hasEpochs } }
        if iterations != nil, countsEpochs {
            check.add("--iterations and --epochs both say how many steps there are: leave one out.")
        } else if iterations == nil, !countsEpochs, !mayLack {
            check.add(
                sampler.hasEpochs
                    ? "--epochs is missing: the number of epochs; or --iterations, the number of steps."
                    : "--iterations is missing: the number of steps.")
        }
        return Choice(sampler: sampler, numbers: numbers, iterations: steps, epochs: passes)
    }

    private func refuse(
        _ flag: String, of sampler: SamplerEntry, _ check: inout UsageCheck, owns: (SamplerEntry) -> Bool
    ) {
        let owners = SamplerEntry.all.filter(owns).map(\.name).joined(separator: ", ")
        check.add("\(flag) is no option of \(sampler.name) sampling: it belongs to --sampling \(owners).")
    }
}
