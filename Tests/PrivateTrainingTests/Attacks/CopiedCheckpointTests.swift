import Foundation
import GradientTransformations
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining
import Testing

/// Attack: copy a checkpoint, go on with both copies, and average what they learn of one batch under two noises.
@Suite struct CopiedCheckpointTests {
    private static let count = 400
    private static let stop = 5

    /// What one run drew until its checkpoint, and what two copies of that drew from there on.
    private struct Drawn {
        let before: [[Int]]
        let one: [[Int]]
        let other: [[Int]]
        let notCovered: [String]

        /// How many examples are in one copy's batch of a step and not in the other's, over all steps.
        var difference: Int {
            zip(one, other).reduce(0) { $0 + Set($1.0).symmetricDifference($1.1).count }
        }
    }

    private static func draw(_ sampling: SamplingScheme, iterations: Int = 25, seed: UInt64? = nil) throws -> Drawn {
        let plan = try PrivacyPlan(
            sampling: sampling, iterations: iterations, clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1),
            delta: 1e-5, relation: .replaceSpecial, unit: sampling.privacyUnit)
        return try draw(plan, seed: seed)
    }

    private static func draw(_ plan: PrivacyPlan, seed: UInt64? = nil) throws -> Drawn {
        let trainer = try Trainer(
            plan: plan, model: Network(.softmaxRegression(features: 2, classes: 2)),
            optimizer: IdentityAugmented(sgd(learningRate: 0.1)), options: TrainingOptions(nonPrivateSeed: seed))
        return try withTemporaryFolder { folder in
            let (first, second) = (folder.appending(path: "first"), folder.appending(path: "second"))
            let data = RecordingDataset(try twoClouds(count, seed: 1))
            _ = try trainer.fit(data, checkpoints: CheckpointFolder(first, interval: 100)) {
                $0.step == stop ? .stop : .proceed
            }
            let before = data.takeBatches()
            try FileManager.default.copyItem(at: first, to: second)
            _ = try trainer.fit(data, checkpoints: CheckpointFolder(first, interval: 100))
            let one = data.takeBatches()
            let outcome = try trainer.fit(data, checkpoints: CheckpointFolder(second, interval: 100))
            return Drawn(
                before: before, one: one, other: data.takeBatches(), notCovered: outcome.report.notCovered)
        }
    }

    /// A sampler whose steps are chosen anew, and how many examples two independent choices of one step differ by.
    struct Fresh: Sendable, CustomTestStringConvertible {
        let sampling: SamplingScheme
        let mean: Double
        let variance: Double
        var testDescription: String { "\(sampling.sampler)".prefix { $0 != "(" }.description }
    }

    /// An example's two coins of probability ½ differ with ½; two subsets of half of all likewise, with
    /// 4 · 25.06 the variance of twice a hypergeometric number; of a group, as many fewer take part.
    private static let fresh: [Fresh] = try! [
        Fresh(
            sampling: .poisson(PoissonSampler(exampleCount: count, samplingProbability: 0.5)), mean: 200,
            variance: 100),
        Fresh(
            sampling: .user(UserSampler(owners: 0..<count, samplingProbability: 0.5)), mean: 200, variance: 100),
        Fresh(
            sampling: .truncatedPoisson(
                TruncatedPoissonSampler(exampleCount: count, samplingProbability: 0.5, maximumBatchSize: count)),
            mean: 200, variance: 100),
        Fresh(
            sampling: .cyclicPoisson(
                CyclicPoissonSampler(
                    exampleCount: count, bands: 2, samplingProbability: 0.5, partition: .equalSizes)),
            mean: 100, variance: 50),
        // A frame has 7 steps and a slot is taken with ½: of 400/7 slots a step, a half differ. How many slots there
        // are in 20 steps varies by less than one an example.
        Fresh(
            sampling: .bMinSep(BMinSepSampler(exampleCount: count, separation: 4, samplingProbability: 0.5 / 7)),
            mean: 400.0 / 14, variance: 400.0 / 28 + 400.0 / 4 / 20),
    ]

    /// Both copies draw batches of their own. Twenty steps are within six standard deviations: a false alarm in 5·10⁸.
    @Test(arguments: fresh)
    func copiesDrawBatchesOfTheirOwn(_ fresh: Fresh) throws {
        let drawn = try Self.draw(fresh.sampling)
        let steps = Double(drawn.one.count)
        #expect(drawn.before.count == Self.stop && drawn.one.count == 20 && drawn.other.count == 20)
        let difference = Double(drawn.difference)
        #expect(abs(difference - steps * fresh.mean) < 6 * (steps * fresh.variance).squareRoot(), "\(difference)")
        #expect(drawn.notCovered.contains { $0.contains("Copies of a checkpoint") && $0.contains("of their own") })
        // Control: the test tells a copy that repeats the batches, as a seeded run does and is to do.
        let seeded = try Self.draw(fresh.sampling, seed: 3)
        #expect(seeded.difference == 0)
        #expect(!seeded.notCovered.contains { $0.contains("Copies of a checkpoint") })
    }

    /// Sampling of a fixed size is only valid under replace-one. Twice a hypergeometric number: 400 of variance 100.
    @Test func copiesDrawSubsetsOfTheirOwn() throws {
        let plan = try PrivacyPlan(
            sampling: .fixedSize(FixedSizeSampler(exampleCount: Self.count, batchSize: 200)), iterations: 25,
            clipping: .flat(l2ClipNorm: 1), budget: .noiseMultiplier(1), delta: 1e-5, relation: .replaceOne,
            accountant: .rdp)
        let difference = Double(try Self.draw(plan).difference)
        #expect(abs(difference - 20 * 200) < 6 * (20 * 100.24).squareRoot(), "\(difference)")
        #expect(try Self.draw(plan, seed: 3).difference == 0)
    }

    /// What the analysis of a whole run rests on stays over an interruption: who is in which group.
    @Test func groupsStayThoseOfTheRun() throws {
        func areGroups(_ batches: [[Int]]) -> Bool {
            let turns = [0, 1].map { turn in
                batches.indices.filter { $0 % 2 == turn }.reduce(into: Set<Int>()) { $0.formUnion(batches[$1]) }
            }
            return turns[0].isDisjoint(with: turns[1])
        }
        let sampling = SamplingScheme.cyclicPoisson(
            try CyclicPoissonSampler(exampleCount: Self.count, bands: 2, samplingProbability: 0.5))
        let drawn = try Self.draw(sampling)
        #expect(areGroups(drawn.before + drawn.one) && areGroups(drawn.before + drawn.other))
        // Control: another run has other groups.
        let another = try Self.draw(sampling).one
        #expect(areGroups(another) && !areGroups(drawn.before + another))
    }

    /// Participations stay b steps apart over an interruption.
    @Test func separationStaysOverAnInterruption() throws {
        func areApart(_ batches: [[Int]]) -> Bool {
            var last: [Int: Int] = [:]
            for (step, batch) in batches.enumerated() {
                for example in batch {
                    if let last = last[example], step - last < 4 { return false }
                    last[example] = step
                }
            }
            return true
        }
        let sampling = SamplingScheme.bMinSep(
            try BMinSepSampler(exampleCount: Self.count, separation: 4, samplingProbability: 0.5 / 7))
        let drawn = try Self.draw(sampling)
        #expect(areApart(drawn.before + drawn.one) && areApart(drawn.before + drawn.other))
        // Control: what another run draws does not keep apart from this one.
        let another = try Self.draw(sampling).one
        #expect(areApart(another) && !areApart(drawn.before + another))
    }

    /// Where the structure decides the batch, copies repeat it, and the report says what that costs.
    @Test(
        arguments: try! [
            .ballsInBins(BallsInBinsSampler(exampleCount: count, bins: 4)),
            .ballsInBins(BallsInBinsSampler(exampleCount: count, bins: 4, isRedrawnEachEpoch: true)),
            .randomAllocation(RandomAllocationSampler(exampleCount: count, participations: 1, stepsPerEpoch: 4)),
            .shuffledEpochs(ShuffledEpochs(exampleCount: count, batchSize: 100)),
        ] as [SamplingScheme])
    func whatTheStructureDecidesIsRepeatedAndReported(_ sampling: SamplingScheme) throws {
        let drawn = try Self.draw(sampling)
        #expect(drawn.difference == 0)
        #expect(
            drawn.notCovered.contains {
                $0.contains("Copies of a checkpoint") && $0.contains("the same batches")
                    && $0.contains("without amplification")
            })
        // Everybody is in each epoch of four steps once, over the interruption after the fifth step too.
        let whole = drawn.before + drawn.one
        for epoch in stride(from: 0, to: 24, by: 4) {
            #expect(whole[epoch..<epoch + 4].flatMap(\.self).sorted() == Array(0..<Self.count))
        }
    }
}
