import Testing

@testable import PrivacyMechanisms

/// Samplers that allocate examples to the steps of an epoch.
///
/// The sizes of an epoch's t batches have a fixed sum, so that where they are compared with Bin(n, p) the statistic of
/// an epoch is t/(t − 1)·χ² of t − 1 degrees of freedom: the mean is χ²'s of t, the standard deviation √(t/(t − 1))
/// times its, at most 6 % more here. The critical values are 15 % further out than χ²'s own of the same level.
struct AllocationSamplerTests {
    /// How often each example participates in each epoch.
    private static func perEpoch(_ history: BatchSamplerHistory, length: Int) -> [[Int]] {
        stride(from: 0, to: history.batches.count, by: length).map { begin in
            let epoch = history.batches[begin..<begin + length]
            return BatchSamplerHistory(exampleCount: history.exampleCount, batches: Array(epoch)).participations
        }
    }

    @Test(arguments: [false, true])
    func ballsFallIntoOneBinEach(isRedrawn: Bool) throws {
        let (n, bins, epochs) = (500, 10, 40)
        let sampler = try BallsInBinsSampler(exampleCount: n, bins: bins, isRedrawnEachEpoch: isRedrawn)
        let history = BatchSamplerHistory(of: sampler, steps: bins * epochs)
        #expect(Self.perEpoch(history, length: bins).allSatisfy { $0.allSatisfy { $0 == 1 } })
        let bin = history.steps.map { $0.map { $0 % bins } }
        // Bins are uniform, and examples independent: sizes of batches vary as Bin(n, 1/b).
        let first = (0..<bins).map { bin in history.batches[bin].count }
        #expect(CountStatistics.isUniform(first))
        if isRedrawn {
            // And so are the bins of different epochs: each example falls into its last bin again with 1/b.
            let again = bin.reduce(0) { $0 + zip($1, $1.dropFirst()).count { $0 == $1 } }
            #expect(CountStatistics.isBinomial(again, trials: n * (epochs - 1), probability: 1 / Double(bins)))
            let all = (0..<bins).map { bin in
                stride(from: bin, to: bins * epochs, by: bins).reduce(0) { $0 + history.batches[$1].count }
            }
            #expect(CountStatistics.isUniform(all))
            #expect(CountStatistics.areBinomial(history.batches.map(\.count), trials: n, probability: 1 / Double(bins)))
            // Control: batches of equal size, which shuffling gives.
            let shuffled = BatchSamplerHistory(
                of: try ShuffledEpochs(exampleCount: n, batchSize: 50), steps: bins * epochs)
            #expect(
                !CountStatistics.areBinomial(shuffled.batches.map(\.count), trials: n, probability: 1 / Double(bins)))
        } else {
            #expect(bin.allSatisfy { Set($0).count == 1 })
        }
        // Control: Poisson batches of the same expected size miss some examples in an epoch.
        let poisson = try PoissonSampler(exampleCount: n, samplingProbability: 1 / Double(bins))
        #expect(
            !Self.perEpoch(BatchSamplerHistory(of: poisson, steps: bins), length: bins).allSatisfy {
                $0.allSatisfy { $0 == 1 }
            })
    }

    @Test(arguments: [1, 3, 17])
    func allocationsAreRandomSubsets(k: Int) throws {
        let (n, t, epochs) = (300, 20, 30)
        let sampler = try RandomAllocationSampler(exampleCount: n, participations: k, stepsPerEpoch: t)
        let history = BatchSamplerHistory(of: sampler, steps: t * epochs)
        #expect(Self.perEpoch(history, length: t).allSatisfy { $0.allSatisfy { $0 == k } })
        #expect(history.batches.allSatisfy { Set($0).count == $0.count })
        let p = Double(k) / Double(t)
        #expect(CountStatistics.areBinomial(history.batches.map(\.count), trials: n, probability: p))
        // Any two steps are shared with k(k − 1)/(t(t − 1)): the first two of an epoch here, over examples and epochs.
        let pairs = stride(from: 0, to: t * epochs, by: t).map { begin in
            Set(history.batches[begin]).intersection(history.batches[begin + 1]).count
        }
        let both = p * Double(k - 1) / Double(t - 1)
        if k == 1 {
            #expect(pairs.allSatisfy { $0 == 0 })
        } else {
            #expect(CountStatistics.isBinomial(pairs.reduce(0, +), trials: n * epochs, probability: both))
            // Control: a run of k steps from a random one on, round the epoch, has too many neighbours.
            var random = SeededGenerator(seed: 2)
            let runs = (0..<n * epochs).count { _ in
                let start = Int.random(in: 0..<t, using: &random)
                return [0, 1].allSatisfy { ($0 + t - start) % t < k }
            }
            #expect(!CountStatistics.isBinomial(runs, trials: n * epochs, probability: both))
        }
        // Epochs are independent: the same step in two of them is shared with p².
        let again = (0..<t * (epochs - 1)).reduce(0) {
            $0 + Set(history.batches[$1]).intersection(history.batches[$1 + t]).count
        }
        #expect(CountStatistics.isBinomial(again, trials: n * t * (epochs - 1), probability: p * p))
        // Control: an allocation that stays the same is shared with p.
        let same = history.batches.prefix(t * (epochs - 1)).reduce(0) { $0 + $1.count }
        #expect(!CountStatistics.isBinomial(same, trials: n * t * (epochs - 1), probability: p * p))
    }

    /// (separation, probability): from balls in bins to nearly Poisson, and a probability whose inverse is rounded.
    private static let separations = [(5, 0.2), (5, 0.13), (5, 0.02), (1, 0.3), (49, 1.0 / 49), (10, 0.06)]

    @Test(arguments: separations)
    func participationsAreSeparated(separation: Int, q: Double) throws {
        let (n, steps) = (400, 600)
        let sampler = try BMinSepSampler(exampleCount: n, separation: separation, samplingProbability: q)
        let history = BatchSamplerHistory(of: sampler, steps: steps)
        func isSeparated(_ history: BatchSamplerHistory) -> Bool {
            history.steps.allSatisfy { zip($0, $0.dropFirst()).allSatisfy { $1 - $0 >= separation } }
        }
        #expect(isSeparated(history))
        // Every step is as likely as every other, from the first on, and examples are independent.
        for step in [0, 1, separation - 1, separation, 2 * separation, 577] {
            #expect(CountStatistics.isBinomial(history.batches[step].count, trials: n, probability: q))
        }
        // Control: Poisson batches come too close.
        let poisson = BatchSamplerHistory(of: try PoissonSampler(exampleCount: n, samplingProbability: q), steps: steps)
        #expect(isSeparated(poisson) == (separation == 1))
    }

    /// One step's participants over many runs, and the sizes of batches at one place in many runs.
    @Test func separatedBatchesHaveTheirProbability() throws {
        let (n, runs, q) = (200, 600, 0.07)
        let sampler = try BMinSepSampler(exampleCount: n, separation: 6, samplingProbability: q)
        for step in [0, 8, 40] {
            let batches = (0..<runs).map { sampler.batch(at: step, from: SamplingSource(nonPrivateSeed: UInt64($0))) }
            let history = BatchSamplerHistory(exampleCount: n, batches: batches)
            #expect(history.isPoisson(probability: q))
            #expect(!history.isPoisson(probability: q * 1.1))
        }
        // With nothing to separate it is Poisson sampling, from step to step too. Control: separation is told.
        for (separation, isPoisson) in [(1, true), (2, false)] {
            let plain = try BMinSepSampler(exampleCount: 300, separation: separation, samplingProbability: 0.2)
            #expect(BatchSamplerHistory(of: plain, steps: 1000).isPoisson(probability: 0.2) == isPoisson)
        }
    }

    /// Slots of different frames are independent, and so is whether they are taken: an example participates in a step
    /// and j·F steps later with r²/(F(F − b + 1)), its phase being uniform, and its slot uniform given the phase.
    @Test(arguments: [(5, 0.1), (6, 0.12), (4, 0.25)], [1, 3])
    func slotsAreIndependent(setting: (separation: Int, q: Double), frames: Int) throws {
        let (n, runs) = (400, 500)
        let sampler = try BMinSepSampler(
            exampleCount: n, separation: setting.separation, samplingProbability: setting.q)
        let (r, frame) = (sampler.slotProbability, sampler.frame)
        let both = (0..<runs).reduce(0) { count, run in
            let source = SamplingSource(nonPrivateSeed: UInt64(run))
            let first = Set(sampler.batch(at: 2, from: source))
            return count + first.intersection(sampler.batch(at: 2 + frames * frame, from: source)).count
        }
        let probability = r * r / Double(frame * (frame - setting.separation + 1))
        #expect(CountStatistics.isBinomial(both, trials: n * runs, probability: probability))
        // Controls: independent steps; the same coin, or the same slot, in each frame.
        #expect(!CountStatistics.isBinomial(both, trials: n * runs, probability: setting.q * setting.q))
        if r < 0.9 { #expect(!CountStatistics.isBinomial(both, trials: n * runs, probability: probability / r)) }
        if frame > setting.separation {
            #expect(!CountStatistics.isBinomial(both, trials: n * runs, probability: r * r / Double(frame)))
        }
    }

    /// No example participates more often in the steps 0..<T than the event has slots.
    @Test(arguments: separations)
    func separatedParticipationsAreCounted(separation: Int, q: Double) throws {
        let sampler = try BMinSepSampler(exampleCount: 3000, separation: separation, samplingProbability: q)
        let history = BatchSamplerHistory(of: sampler, steps: 120)
        var counts = [Int](repeating: 0, count: 3000)
        var isBelowWithoutPhases = true
        for step in 0...120 {
            let most = counts.max()!
            #expect(most <= sampler.mostSlots(in: step))
            #expect(sampler.mostSlots(in: step) <= (step + separation - 1) / separation)
            isBelowWithoutPhases = isBelowWithoutPhases && most <= (step + sampler.frame - 1) / sampler.frame
            if step < 120 { for example in history.batches[step] { counts[example] += 1 } }
        }
        // Control: one for each frame that has begun would be too few, but for frames without a choice.
        #expect(isBelowWithoutPhases == (sampler.frame == separation))
    }

    @Test func shuffledEpochsDropNobody() throws {
        let sampler = try ShuffledEpochs(exampleCount: 103, batchSize: 20)
        #expect(sampler.stepsPerEpoch == 6)
        let history = BatchSamplerHistory(of: sampler, steps: 6 * 50)
        #expect(history.batches.map(\.count) == (0..<50).flatMap { _ in [20, 20, 20, 20, 20, 3] })
        #expect(Self.perEpoch(history, length: 6).allSatisfy { $0.allSatisfy { $0 == 1 } })
        #expect(Set(history.batches).count == 300)
        #expect(sampler.expectedBatchSize == 20)
        // Who comes last is random: 3 of 103 in each of 1000 epochs of as many runs.
        let last = (0..<1000).map { sampler.batch(at: 5, from: SamplingSource(nonPrivateSeed: $0)) }
        let counts = BatchSamplerHistory(exampleCount: 103, batches: last).participations
        #expect(CountStatistics.isUniform(counts))
        // Control: without shuffling, the same come last each time.
        let unshuffled = BatchSamplerHistory(exampleCount: 103, batches: last.map { _ in [100, 101, 102] })
        #expect(!CountStatistics.isUniform(unshuffled.participations))
        let whole = try ShuffledEpochs(exampleCount: 40, batchSize: 20)
        #expect(BatchSamplerHistory(of: whole, steps: 4).batches.map(\.count) == [20, 20, 20, 20])
    }
}
