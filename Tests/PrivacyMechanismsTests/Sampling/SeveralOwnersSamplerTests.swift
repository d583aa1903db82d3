import PrivacyAccounting
import PrivacyMechanisms
import Testing

/// **Guarantee:** of one owner's examples, no two are in batches fewer than b steps apart, and at most m in an epoch.
@Suite struct SeveralOwnersSamplerTests {
    /// The steps in which each owner has an example; a step with two of them stands there twice.
    private static func steps(of batches: [[Int]], _ owners: [[Int]], ownerCount: Int) -> [[Int]] {
        var steps = [[Int]](repeating: [], count: ownerCount)
        for (step, batch) in batches.enumerated() {
            for owner in batch.flatMap({ owners[$0] }) { steps[owner].append(step) }
        }
        return steps
    }

    private static func hold(_ steps: [[Int]], separation: Int, most: Int) -> Bool {
        steps.allSatisfy { steps in
            steps.count <= most && zip(steps, steps.dropFirst()).allSatisfy { $1 - $0 >= separation }
        }
    }

    /// 300 examples of 40 owners, of whom the first few own much: one to three each.
    private static func graph(_ seed: UInt64) -> [[Int]] {
        var generator = SeededGenerator(seed: seed)
        return (0..<300).map { _ in
            let count = Int.random(in: 0...3, using: &generator)
            let drawn = (0..<count).map { _ in
                Int.random(in: 0..<40, using: &generator) * Int.random(in: 0..<40, using: &generator) / 40
            }
            return Set(drawn).sorted()
        }
    }

    @Test(
        arguments: [(1, 7, nil), (3, 10, nil), (3, 10, 2), (8, 64, 1), (5, 5, nil), (4, 23, 3)] as [(Int, Int, Int?)])
    func ownersTakePartSeldomAndFarApart(separation: Int, epoch: Int, most: Int?) throws {
        for seed in 0..<4 as Range<UInt64> {
            let owners = Self.graph(seed)
            let sampler = try SeveralOwnersSampler(
                owners: owners, ownerCount: 40, separation: separation, stepsPerEpoch: epoch, contributionBound: most)
            let batches = BatchSamplerHistory(of: sampler, steps: 3 * epoch + 2).batches
            for iterations in [1, separation, epoch - 1, epoch, epoch + 1, 2 * epoch + separation, 3 * epoch + 2] {
                let steps = Self.steps(of: Array(batches.prefix(iterations)), owners, ownerCount: 40)
                let pattern = try sampler.participation(in: iterations)
                #expect(Self.hold(steps, separation: separation, most: pattern.mostParticipations))
                #expect(pattern.mostParticipations <= (iterations + separation - 1) / separation)
            }
            let steps = Self.steps(of: Array(batches.prefix(epoch)), owners, ownerCount: 40)
            #expect(steps.map(\.count).max()! <= sampler.contributionBound)
            #expect(batches.prefix(epoch).joined().count == sampler.epochSize)
            #expect(sampler.expectedBatchSize == Double(sampler.epochSize) / Double(epoch))
            // Somebody is at the bound: it is not looser than the schedule.
            #expect(steps.contains { $0.count == sampler.contributionBound } || separation == 1)
            // The broken twins: a bound on contributions alone, and batches of examples in turns.
            let turns = (0..<epoch).map { step in stride(from: step, to: 300, by: epoch).map { $0 } }
            #expect(
                !Self.hold(
                    Self.steps(of: turns, owners, ownerCount: 40), separation: separation,
                    most: sampler.contributionBound))
            let bounded = try SeveralOwnersSampler(
                owners: owners, ownerCount: 40, separation: 1, stepsPerEpoch: epoch,
                contributionBound: sampler.contributionBound)
            let dense = Self.steps(
                of: BatchSamplerHistory(of: bounded, steps: 2 * epoch).batches, owners, ownerCount: 40)
            if separation > 1, sampler.contributionBound > 1 {
                #expect(!Self.hold(dense, separation: separation, most: .max))
            }
        }
    }

    @Test func everybodyTakesTurnsWhereThereIsRoom() throws {
        let sampler = try SeveralOwnersSampler(
            owners: [[0], [1], [0, 1], [], [2], [2], [0]], ownerCount: 3, separation: 2, stepsPerEpoch: 6)
        let batches = BatchSamplerHistory(of: sampler, steps: 12).batches
        // Examples 2 and 5 find the next step too close to another of their owners' examples, and 6 finds none: after
        // steps 0 and 3, every other is too close for owner 0.
        #expect(Array(batches.prefix(6)) == [[0, 5], [1], [], [2], [4], []])
        #expect(Array(batches.suffix(6)) == Array(batches.prefix(6)))
        #expect(sampler.epochSize == 5 && sampler.expectedBatchSize == 5.0 / 6)
        #expect(sampler.exampleCount == 7 && sampler.unitCount == 3)
    }

    /// Contents are protected in a graph that is fixed, and nothing else is.
    @Test func onlyTheGraphsRelationsAreValid() throws {
        let sampler = try SeveralOwnersSampler(
            owners: Self.graph(1), ownerCount: 40, separation: 4, stepsPerEpoch: 20)
        #expect(sampler.relations == [.replaceOne, .replaceSpecial] && sampler.privacyUnit == .user)
        #expect(sampler.isConfidential && sampler.repetition == .repeatsTheBatch)
        #expect(sampler.assumption.contains("fixed-graph privacy"))
        #expect(
            try sampler.gaussianEvent(2, 40)
                == .dpSGD(noiseMultiplier: 2, samplingProbability: 1, iterations: 10))
    }

    /// A few words can claim any number of owners: those without examples take no memory. With a table of them, the
    /// largest number wrote beyond what was allocated.
    @Test(arguments: [1 << 40, Int.max]) func claimedOwnersTakeNoPlace(_ ownerCount: Int) throws {
        let sampler = try SeveralOwnersSampler(
            owners: [[0, ownerCount - 1], [ownerCount - 1]], ownerCount: ownerCount, separation: 2, stepsPerEpoch: 4)
        #expect(sampler.unitCount == ownerCount && sampler.epochSize == 2)
    }

    /// Ten thousand examples of one owner find their places, or none, without looking at every step each time.
    @Test func crowdedOwnersAreQuick() throws {
        let owners = (0..<10_000).map { [0, $0 + 1] }
        let sampler = try SeveralOwnersSampler(
            owners: owners, ownerCount: 10_001, separation: 10, stepsPerEpoch: 4000)
        // In turns, each the first step that is far enough from the one before.
        #expect(sampler.contributionBound == 400 && sampler.epochSize == 400)
    }
}
