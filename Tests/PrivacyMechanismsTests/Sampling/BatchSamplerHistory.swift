import PrivacyAccounting
import PrivacyMechanisms
import Testing

/// The batches of steps 0, 1, … of a sampler, or of a twin of one.
struct BatchSamplerHistory {
    var exampleCount: Int
    var batches: [[Int]]

    init(exampleCount: Int, batches: [[Int]]) {
        self.exampleCount = exampleCount
        self.batches = batches
    }

    init(of sampler: some BatchSampler, steps: Int, seed: UInt64 = 1) {
        self.init(of: SamplingScheme(sampler), steps: steps, seed: seed)
    }

    init(of sampling: SamplingScheme, steps: Int, seed: UInt64 = 1) {
        let batches = Batches(sampling, from: SamplingSource(nonPrivateSeed: seed))
        self.init(exampleCount: sampling.exampleCount, batches: batches.prefix(steps).map(\.examples))
    }

    /// How many of the steps each example is in.
    var participations: [Int] {
        var counts = [Int](repeating: 0, count: exampleCount)
        for batch in batches { for example in batch { counts[example] += 1 } }
        return counts
    }

    /// The steps that each example is in.
    var steps: [[Int]] {
        var steps = [[Int]](repeating: [], count: exampleCount)
        for (step, batch) in batches.enumerated() { for example in batch { steps[example].append(step) } }
        return steps
    }

    /// For neighbouring examples 2i and 2i + 1 at one step, and for one example at steps 2t and 2t + 1: how often
    /// neither, one or the other, and both take part.
    var pairs: (examples: [Int], steps: [Int]) {
        var (examples, inSteps) = ([0, 0, 0], [0, 0, 0])
        let members = batches.map(Set.init)
        for batch in members {
            for example in stride(from: 0, to: exampleCount - 1, by: 2) {
                examples[(batch.contains(example) ? 1 : 0) + (batch.contains(example + 1) ? 1 : 0)] += 1
            }
        }
        for step in stride(from: 0, to: members.count - 1, by: 2) {
            for example in 0..<exampleCount {
                inSteps[(members[step].contains(example) ? 1 : 0) + (members[step + 1].contains(example) ? 1 : 0)] += 1
            }
        }
        return (examples, inSteps)
    }

    /// Whether every example is in every batch independently with probability q, as far as participations per example,
    /// sizes of batches, and pairs of examples and of steps tell.
    func isPoisson(probability q: Double) -> Bool {
        let pairProbabilities = [(1 - q) * (1 - q), 2 * q * (1 - q), q * q]
        let (examples, inSteps) = pairs
        return CountStatistics.areBinomial(participations, trials: batches.count, probability: q)
            && CountStatistics.areBinomial(batches.map(\.count), trials: exampleCount, probability: q)
            && CountStatistics.isPlausible(examples, probabilities: pairProbabilities)
            && CountStatistics.isPlausible(inSteps, probabilities: pairProbabilities)
    }
}

extension BatchSamplerHistory: CustomTestStringConvertible {
    // Thousands of indices in a failure's message would help nobody.
    var testDescription: String { "\(batches.count) batches from \(exampleCount) examples" }
}

extension SamplingScheme {
    /// What `iterations` steps are accounted as under Gaussian noise.
    func gaussianEvent(_ noiseMultiplier: Double, _ iterations: Int) throws(AccountingError) -> PrivacyEvent {
        try NoiseScheme.floatingPointGaussian.event(of: participation(in: iterations), noiseMultiplier: noiseMultiplier)
    }
}

extension BatchSampler {
    /// What `iterations` steps are accounted as under Gaussian noise.
    func gaussianEvent(_ noiseMultiplier: Double, _ iterations: Int) throws(AccountingError) -> PrivacyEvent {
        try SamplingScheme(self).gaussianEvent(noiseMultiplier, iterations)
    }
}
