import PrivacyAccounting
import PrivacyMechanisms
import Testing

/// What samplers say of participation, against what they draw.
@Suite struct ParticipationPatternTests {
    /// The steps that each unit is in, in each of many runs; a step that it is in twice stands there twice.
    private static func draws(_ scheme: SamplingScheme, iterations: Int, runs: Int = 30) -> [[Int]] {
        (0..<runs).flatMap { run in
            let steps = BatchSamplerHistory(of: scheme, steps: iterations, seed: UInt64(run)).steps
            guard scheme.privacyUnit == .user else { return steps }
            let isShared = scheme.sampler is SeveralOwnersSampler
            return (0..<70).map { user in
                // The mean of several examples is one contribution.
                Set(
                    steps.indices.filter {
                        isShared ? SamplingScheme.owners(of: $0).contains(user) : $0 % 70 == user
                    }.flatMap { steps[$0] }
                ).sorted()
            }
        }
    }

    private static func hold(_ draws: [[Int]], most: Int, separation: Int) -> Bool {
        draws.allSatisfy { steps in
            steps.count <= most && zip(steps, steps.dropFirst()).allSatisfy { $1 - $0 >= separation }
        }
    }

    /// **Guarantee:** nobody takes part more often, nor in steps closer to each other, than the pattern says.
    @Test(arguments: SamplingScheme.examples)
    func nobodyTakesPartMoreOftenOrCloser(_ scheme: SamplingScheme) throws {
        let longest = Self.draws(scheme, iterations: 60)
        for iterations in [0, 1, 2, 4, 5, 6, 7, 9, 20, 41, 60] {
            let pattern = try scheme.participation(in: iterations)
            let draws = longest.map { steps in steps.filter { $0 < iterations } }
            #expect(Self.hold(draws, most: pattern.mostParticipations, separation: pattern.leastSeparation))
            #expect(pattern.iterations == iterations && pattern.unit == scheme.privacyUnit)
            #expect(pattern.dependsOnUnitCount != scheme.relations.contains(.addOrRemoveOne))
        }
    }

    /// Steps after which the largest number of participations occurs in a few dozen runs.
    private static let reached: [(SamplingScheme, Int)] = [2, 11, 11, 2, 41, 41, 41, 5, 2, 2, 41, 2, 5, 30].enumerated()
        .map {
            (number, iterations) in
            // Twenty times the same of two hundred will not be drawn; twice the same of three will.
            let scheme =
                number == 9
                ? try! .fixedSize(FixedSizeSampler(exampleCount: 3, batchSize: 2, isWithReplacement: true))
                : SamplingScheme.examples[number]
            return (scheme, iterations)
        }

    /// The broken twins: one participation fewer, or one step more between two of them, than the pattern says.
    @Test(arguments: reached)
    func thePatternSaysNoMoreThanIsTrue(_ scheme: SamplingScheme, _ iterations: Int) throws {
        let pattern = try scheme.participation(in: iterations)
        let draws = Self.draws(scheme, iterations: iterations)
        #expect(Self.hold(draws, most: pattern.mostParticipations, separation: 0))
        #expect(!Self.hold(draws, most: pattern.mostParticipations - 1, separation: 0))
        let more = try scheme.participation(in: 41)
        #expect(
            !Self.hold(Self.draws(scheme, iterations: 41), most: .max, separation: more.leastSeparation + 1))
    }

    /// A sampler that throws its examples anew does not keep to what one says that leaves them where they are.
    @Test func aSamplerThatDrawsItsStructureAnewIsTold() throws {
        let fixed = SamplingScheme.ballsInBins(try BallsInBinsSampler(exampleCount: 200, bins: 6))
        let redrawn = SamplingScheme.ballsInBins(
            try BallsInBinsSampler(exampleCount: 200, bins: 6, isRedrawnEachEpoch: true))
        let pattern = try fixed.participation(in: 41)
        #expect(pattern.leastSeparation == 6)
        #expect(
            Self.hold(
                Self.draws(fixed, iterations: 41), most: pattern.mostParticipations,
                separation: pattern.leastSeparation))
        #expect(
            !Self.hold(
                Self.draws(redrawn, iterations: 41), most: pattern.mostParticipations,
                separation: pattern.leastSeparation))
    }

    /// Most participations and least separation in 41 steps, in the order of the examples.
    @Test func boundsAreTheOnesOfTheDescription() throws {
        let expected = [
            (41, 1), (9, 5), (9, 5), (41, 1), (7, 6), (7, 1), (15, 1), (8, 4), (41, 1), (820, 0), (6, 1), (41, 1),
            (8, 4), (8, 4),
        ]
        for (scheme, bounds) in zip(SamplingScheme.examples, expected) {
            let pattern = try scheme.participation(in: 41)
            #expect((pattern.mostParticipations, pattern.leastSeparation) == bounds, "\(scheme.kind)")
        }
        // Where nobody can take part twice, no two steps are far enough apart.
        let bins = try BallsInBinsSampler(exampleCount: 9, bins: 6, isRedrawnEachEpoch: true)
        #expect(try bins.participation(in: 5).leastSeparation == 5)
        // Bounds do not wrap.
        let large = try FixedSizeSampler(exampleCount: 9, batchSize: 1 << 40, isWithReplacement: true)
        #expect(try large.participation(in: 1 << 40).mostParticipations == .max)
    }

    @Test(arguments: SamplingScheme.examples)
    func negativeCountsThrow(_ scheme: SamplingScheme) {
        let expected = AccountingError.outOfRange(name: "iterations", value: "-1", allowed: "at least 0")
        #expect(throws: expected) { try scheme.participation(in: -1) }
    }
}
