import PrivacyAccounting
import PrivacyMechanisms
import Testing

struct CyclicPoissonSamplerTests {
    private static func sampler(
        _ partition: CyclicPoissonSampler.Partition, n: Int = 300, bands: Int = 7, q: Double
    ) throws -> CyclicPoissonSampler {
        try CyclicPoissonSampler(exampleCount: n, bands: bands, samplingProbability: q, partition: partition)
    }

    /// With q = 1 a batch is the whole group.
    @Test(arguments: [CyclicPoissonSampler.Partition.independent, .equalSizes])
    func groupsArePartsOfTheWhole(partition: CyclicPoissonSampler.Partition) throws {
        let groups = BatchSamplerHistory(of: try Self.sampler(partition, q: 1), steps: 21).batches
        #expect(groups.prefix(7).joined().sorted() == Array(0..<300))
        // The same groups in each cycle.
        #expect(groups[7..<14] == groups[0..<7] && groups[14...] == groups[0..<7])
        let other = BatchSamplerHistory(of: try Self.sampler(partition, q: 1), steps: 7, seed: 2).batches
        #expect(other != Array(groups.prefix(7)))
        if partition == .equalSizes {
            #expect(Set(groups.map(\.count)) == [42, 43])
        }
    }

    /// Each example's group is uniform; in the independent partition pairs are independent, in the other one they avoid
    /// each other.
    @Test func groupsAreChosenAsPromised() throws {
        func groups(_ partition: CyclicPoissonSampler.Partition) throws -> (own: [Int], together: Int, trials: Int) {
            var (own, together) = ([0, 0, 0], 0)
            for seed in 0..<3000 {
                let history = BatchSamplerHistory(
                    of:
                        try Self.sampler(partition, n: 6, bands: 3, q: 1), steps: 3, seed: UInt64(seed))
                let steps = history.steps.map { $0[0] }
                own[steps[seed % 6]] += 1
                together += steps[0] == steps[1] ? 1 : 0
            }
            return (own, together, 3000)
        }
        let independent = try groups(.independent)
        #expect(CountStatistics.isUniform(independent.own))
        #expect(CountStatistics.isBinomial(independent.together, trials: independent.trials, probability: 1.0 / 3))
        let equal = try groups(.equalSizes)
        #expect(CountStatistics.isUniform(equal.own))
        // Of the other five, one is in the same group.
        #expect(CountStatistics.isBinomial(equal.together, trials: equal.trials, probability: 1.0 / 5))
        // Controls: each is told from the other.
        #expect(!CountStatistics.isBinomial(independent.together, trials: independent.trials, probability: 1.0 / 5))
        #expect(!CountStatistics.isBinomial(equal.together, trials: equal.trials, probability: 1.0 / 3))
    }

    @Test(arguments: [CyclicPoissonSampler.Partition.independent, .equalSizes])
    func theGroupWhoseTurnItIsIsPoissonSampled(partition: CyclicPoissonSampler.Partition) throws {
        let (q, bands, cycles) = (0.4, 7, 500)
        let whole = BatchSamplerHistory(of: try Self.sampler(partition, q: 1), steps: bands).steps.map { $0[0] }
        let history = BatchSamplerHistory(of: try Self.sampler(partition, q: q), steps: bands * cycles)
        // Participations are b or a multiple of it apart, at the group's turn.
        func isInTurn(_ history: BatchSamplerHistory) -> Bool {
            zip(history.steps, whole).allSatisfy { steps, group in steps.allSatisfy { $0 % bands == group } }
        }
        #expect(isInTurn(history))
        #expect(CountStatistics.areBinomial(history.participations, trials: cycles, probability: q))
        let first = history.steps.enumerated().filter { whole[$0.offset] == 0 }.map(\.element)
        let group = BatchSamplerHistory(
            exampleCount: first.count,
            batches: (0..<cycles).map { cycle in first.indices.filter { first[$0].contains(bands * cycle) } })
        #expect(group.isPoisson(probability: q))
        #expect(!group.isPoisson(probability: q * 1.08))
        // Groups whose turns follow each other make choices of their own: places that both take, or not, are as many as
        // coins would have in common.
        let members = (0..<bands).map { group in whole.indices.filter { whole[$0] == group } }
        var (common, trials) = (0, 0)
        for step in stride(from: 0, to: bands * cycles - 1, by: 2) {
            let (left, right) = (members[step % bands], members[(step + 1) % bands])
            let (chosen, next) = (Set(history.batches[step]), Set(history.batches[step + 1]))
            for (one, other) in zip(left, right) {
                common += chosen.contains(one) == next.contains(other) ? 1 : 0
                trials += 1
            }
        }
        #expect(CountStatistics.isBinomial(common, trials: trials, probability: q * q + (1 - q) * (1 - q)))
        #expect(!CountStatistics.isBinomial(trials, trials: trials, probability: q * q + (1 - q) * (1 - q)))
        // Control: Poisson sampling from everybody.
        let plain = try PoissonSampler(exampleCount: 300, samplingProbability: q / 7)
        #expect(!isInTurn(BatchSamplerHistory(of: plain, steps: bands * cycles)))
    }

    /// Batches of groups of equal sizes may be cut to m, uniformly: who is left is anybody of the group alike. The
    /// event is that of truncated batches from one group, once in b steps, and costs more than batches of any size.
    @Test func batchesAreTruncatedWithinAGroup() throws {
        let sampler = try CyclicPoissonSampler(
            exampleCount: 60, bands: 3, samplingProbability: 0.5, partition: .equalSizes, maximumBatchSize: 6)
        let groups = BatchSamplerHistory(of: try Self.sampler(.equalSizes, n: 60, bands: 3, q: 1), steps: 3).batches
        let batches = BatchSamplerHistory(of: sampler, steps: 600).batches
        var counts = [Int](repeating: 0, count: 60)
        for (step, batch) in batches.enumerated() {
            #expect(batch.count <= 6 && Set(batch).isSubset(of: groups[step % 3]))
            for example in batch { counts[example] += 1 }
        }
        // 200 batches of a group of 20, of which min(Bin(20, 0.5), 6) take part, 5.97 on average: 59.7 each, with a
        // variance below 200·0.3·0.7.
        #expect(counts.allSatisfy { abs(Double($0) - 59.7) < 5 * 42.0.squareRoot() })
        let pattern = try sampler.participation(in: 10)
        #expect(pattern.choice == .truncated(probability: 0.5, maximumBatchSize: 6, unitCount: 20, period: 3))
        #expect(pattern.mostParticipations == 4 && pattern.leastSeparation == 3)
        let truncated = try NoiseScheme.floatingPointGaussian.event(of: pattern, noiseMultiplier: 2)
        let whole = try NoiseScheme.floatingPointGaussian.event(
            of: Self.sampler(.equalSizes, n: 60, bands: 3, q: 0.5).participation(in: 10), noiseMultiplier: 2)
        for relation in [NeighboringRelation.replaceOne, .replaceSpecial] {
            let accountant = PrivacyLossDistributionAccountant(relation: relation)
            // The twin: the truncation forgotten.
            #expect(
                try accountant.epsilon(of: whole, delta: 1e-6) < accountant.epsilon(of: truncated, delta: 1e-6))
        }
        // Who stays of a whole group is drawn anew where a step is taken a second time.
        let allOfGroup = try CyclicPoissonSampler(
            exampleCount: 60, bands: 3, samplingProbability: 1, partition: .equalSizes, maximumBatchSize: 6)
        #expect(allOfGroup.repetition == .drawsAnew)
        #expect(try Self.sampler(.equalSizes, n: 60, bands: 3, q: 1).repetition == .repeatsTheBatch)
        #expect(sampler.expectedBatchSize == 6 && sampler.relations == [.replaceOne, .replaceSpecial])
    }

    @Test func truncationNeedsEqualGroups() {
        for (partition, n, most) in [
            (CyclicPoissonSampler.Partition.independent, 60, 6), (.equalSizes, 61, 6), (.equalSizes, 60, 0),
        ] {
            #expect(throws: PrivacyMechanismError.self) {
                try CyclicPoissonSampler(
                    exampleCount: n, bands: 3, samplingProbability: 0.5, partition: partition, maximumBatchSize: most)
            }
        }
    }
}
