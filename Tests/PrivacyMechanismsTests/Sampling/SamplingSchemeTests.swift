import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import Testing

/// Configuration: what is coded, what is refused, and what is claimed.
struct SamplingSchemeTests {
    @Test(arguments: SamplingScheme.examples)
    func schemesSurviveJSON(scheme: SamplingScheme) throws {
        let data = try JSONEncoder().encode(scheme)
        let decoded = try JSONDecoder().decode(SamplingScheme.self, from: data)
        #expect(decoded == scheme)
        let source = SamplingSource(nonPrivateSeed: 1)
        #expect(decoded.batch(at: 9, from: source) == scheme.batch(at: 9, from: source))
    }

    @Test func filesNameKinds() throws {
        let files: [(String, SamplingScheme)] = try [
            (
                #"{"kind": "poisson", "exampleCount": 60000, "samplingProbability": 0.01}"#,
                .poisson(PoissonSampler(exampleCount: 60_000, samplingProbability: 0.01))
            ),
            (
                #"{"kind": "cyclic-poisson", "exampleCount": 9, "bands": 3, "samplingProbability": 1}"#,
                .cyclicPoisson(CyclicPoissonSampler(exampleCount: 9, bands: 3, samplingProbability: 1))
            ),
            (
                #"""
                {"kind": "cyclic-poisson", "exampleCount": 9, "bands": 3, "samplingProbability": 1,
                 "partition": "equal-sizes"}
                """#,
                .cyclicPoisson(
                    CyclicPoissonSampler(exampleCount: 9, bands: 3, samplingProbability: 1, partition: .equalSizes))
            ),
            (
                #"{"kind": "truncated-poisson", "exampleCount": 9, "samplingProbability": 0.5, "maximumBatchSize": 4}"#,
                .truncatedPoisson(
                    TruncatedPoissonSampler(exampleCount: 9, samplingProbability: 0.5, maximumBatchSize: 4))
            ),
            (
                #"{"kind": "balls-in-bins", "exampleCount": 9, "bins": 3}"#,
                .ballsInBins(BallsInBinsSampler(exampleCount: 9, bins: 3))
            ),
            (
                #"{"kind": "random-allocation", "exampleCount": 9, "participations": 2, "stepsPerEpoch": 3}"#,
                .randomAllocation(RandomAllocationSampler(exampleCount: 9, participations: 2, stepsPerEpoch: 3))
            ),
            (
                #"{"kind": "b-min-sep", "exampleCount": 9, "separation": 2, "samplingProbability": 0.25}"#,
                .bMinSep(BMinSepSampler(exampleCount: 9, separation: 2, samplingProbability: 0.25))
            ),
            (
                #"{"kind": "fixed-size", "exampleCount": 9, "batchSize": 3}"#,
                .fixedSize(FixedSizeSampler(exampleCount: 9, batchSize: 3))
            ),
            (
                #"{"kind": "shuffled-epochs", "exampleCount": 9, "batchSize": 3}"#,
                .shuffledEpochs(ShuffledEpochs(exampleCount: 9, batchSize: 3))
            ),
            (
                #"{"kind": "user", "owners": [0, 1, -1, 0], "userCount": 2, "samplingProbability": 0.5}"#,
                .user(UserSampler(owners: [0, 1, -1, 0], userCount: 2, samplingProbability: 0.5))
            ),
            (
                #"""
                {"kind": "user", "owners": [0, 1, -1, 0], "userCount": 2, "examplesPerUser": 3,
                 "base": {"kind": "balls-in-bins", "exampleCount": 2, "bins": 5}}
                """#,
                .user(
                    UserSampler(
                        owners: [0, 1, -1, 0], base: .ballsInBins(BallsInBinsSampler(exampleCount: 2, bins: 5)),
                        examplesPerUser: 3))
            ),
            (
                #"""
                {"kind": "several-owners", "owners": [[0, 1], [], [1]], "ownerCount": 2, "separation": 2,
                 "stepsPerEpoch": 9}
                """#,
                .severalOwners(
                    SeveralOwnersSampler(
                        owners: [[0, 1], [], [1]], ownerCount: 2, separation: 2, stepsPerEpoch: 9,
                        contributionBound: 4))
            ),
        ]
        for (file, scheme) in files {
            #expect(try JSONDecoder().decode(SamplingScheme.self, from: Data(file.utf8)) == scheme)
        }
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(SamplingScheme.self, from: Data(#"{"kind": "poison"}"#.utf8))
        }
    }

    /// (file, name, value, allowed): what is out of range throws when made, and so when decoded.
    private static let badFiles: [(String, String, String, String)] = [
        (#"{"kind": "poisson", "exampleCount": -1, "samplingProbability": 0.1}"#, "exampleCount", "-1", "at least 0"),
        (
            #"{"kind": "poisson", "exampleCount": 9, "samplingProbability": "nan"}"#, "samplingProbability", "nan",
            "in [0, 1]"
        ),
        (
            #"{"kind": "poisson", "exampleCount": 9, "samplingProbability": 1.1}"#, "samplingProbability", "1.1",
            "in [0, 1]"
        ),
        (
            #"{"kind": "poisson", "exampleCount": 9, "samplingProbability": -0.1}"#, "samplingProbability", "-0.1",
            "in [0, 1]"
        ),
        (
            #"{"kind": "poisson", "exampleCount": 9, "samplingProbability": "inf"}"#, "samplingProbability", "inf",
            "in [0, 1]"
        ),
        (
            #"{"kind": "cyclic-poisson", "exampleCount": 9, "bands": 0, "samplingProbability": 1}"#, "bands", "0",
            "in 1...9"
        ),
        (
            #"{"kind": "cyclic-poisson", "exampleCount": 9, "bands": 10, "samplingProbability": 1}"#, "bands", "10",
            "in 1...9"
        ),
        (
            #"{"kind": "cyclic-poisson", "exampleCount": 0, "bands": 2, "samplingProbability": 1}"#, "bands", "2",
            "in 1...1"
        ),
        (
            #"{"kind": "cyclic-poisson", "exampleCount": 100000000, "bands": 20000000, "samplingProbability": 1}"#,
            "bands",
            "20000000", "in 1...16777216"
        ),
        (
            #"{"kind": "cyclic-poisson", "exampleCount": 9, "bands": 3, "samplingProbability": 2}"#,
            "samplingProbability", "2.0", "in [0, 1]"
        ),
        (
            #"{"kind": "cyclic-poisson", "exampleCount": -9, "bands": 1, "samplingProbability": 1}"#, "exampleCount",
            "-9", "at least 0"
        ),
        (
            #"{"kind": "truncated-poisson", "exampleCount": 9, "samplingProbability": 0.5, "maximumBatchSize": 0}"#,
            "maximumBatchSize", "0", "at least 1"
        ),
        (
            #"{"kind": "truncated-poisson", "exampleCount": 9, "samplingProbability": 5, "maximumBatchSize": 1}"#,
            "samplingProbability", "5.0", "in [0, 1]"
        ),
        (
            #"{"kind": "truncated-poisson", "exampleCount": -2, "samplingProbability": 0.5, "maximumBatchSize": 1}"#,
            "exampleCount", "-2", "at least 0"
        ),
        (#"{"kind": "balls-in-bins", "exampleCount": 9, "bins": 0}"#, "bins", "0", "in 1...16777216"),
        (#"{"kind": "balls-in-bins", "exampleCount": -9, "bins": 1}"#, "exampleCount", "-9", "at least 0"),
        (
            #"{"kind": "random-allocation", "exampleCount": 9, "participations": 4, "stepsPerEpoch": 3}"#,
            "participations",
            "4", "in 0...3"
        ),
        (
            #"{"kind": "random-allocation", "exampleCount": 9, "participations": -1, "stepsPerEpoch": 3}"#,
            "participations",
            "-1", "in 0...3"
        ),
        (
            #"{"kind": "random-allocation", "exampleCount": 9, "participations": 0, "stepsPerEpoch": 0}"#,
            "stepsPerEpoch",
            "0", "in 1...16777216"
        ),
        (
            #"{"kind": "random-allocation", "exampleCount": -9, "participations": 1, "stepsPerEpoch": 1}"#,
            "exampleCount",
            "-9", "at least 0"
        ),
        (
            #"{"kind": "b-min-sep", "exampleCount": 9, "separation": 0, "samplingProbability": 0}"#, "separation", "0",
            "in 1...16777216"
        ),
        (
            #"{"kind": "b-min-sep", "exampleCount": 9, "separation": 4, "samplingProbability": 0.2501}"#,
            "samplingProbability",
            "0.2501", "in [0, 1/4]"
        ),
        (
            #"{"kind": "b-min-sep", "exampleCount": 9, "separation": 4, "samplingProbability": "nan"}"#,
            "samplingProbability",
            "nan", "in [0, 1/4]"
        ),
        (
            #"{"kind": "b-min-sep", "exampleCount": -9, "separation": 4, "samplingProbability": 0}"#, "exampleCount",
            "-9", "at least 0"
        ),
        (#"{"kind": "fixed-size", "exampleCount": 9, "batchSize": 0}"#, "batchSize", "0", "in 1...9"),
        (#"{"kind": "fixed-size", "exampleCount": 9, "batchSize": 10}"#, "batchSize", "10", "in 1...9"),
        (
            #"{"kind": "fixed-size", "exampleCount": 9, "batchSize": 0, "isWithReplacement": true}"#, "batchSize", "0",
            "at least 1"
        ),
        (#"{"kind": "fixed-size", "exampleCount": 0, "batchSize": 1}"#, "exampleCount", "0", "at least 1"),
        (#"{"kind": "shuffled-epochs", "exampleCount": 9, "batchSize": 10}"#, "batchSize", "10", "in 1...9"),
        (#"{"kind": "shuffled-epochs", "exampleCount": 0, "batchSize": 1}"#, "exampleCount", "0", "at least 1"),
        (
            #"{"kind": "shuffled-epochs", "exampleCount": 20000000, "batchSize": 1}"#,
            "The number of batches in an epoch",
            "20000000", "in 1...16777216"
        ),
        (
            #"{"kind": "user", "owners": [0], "userCount": 1, "samplingProbability": -1}"#, "samplingProbability",
            "-1.0", "in [0, 1]"
        ),
        (
            #"{"kind": "user", "owners": [], "userCount": -1, "samplingProbability": 1}"#, "userCount", "-1",
            "at least 0"
        ),
        (
            #"{"kind": "user", "owners": [0], "userCount": 1, "samplingProbability": 1, "examplesPerUser": 0}"#,
            "examplesPerUser", "0", "at least 1"
        ),
        (
            #"""
            {"kind": "user", "owners": [0], "userCount": 3,
             "base": {"kind": "poisson", "exampleCount": 2, "samplingProbability": 1}}
            """#, "exampleCount of the base of user sampling", "2", "the number of users, 3"
        ),
        (
            #"""
            {"kind": "user", "owners": [0], "userCount": 1,
             "base": {"kind": "user", "owners": [0], "userCount": 1, "samplingProbability": 1}}
            """#, "The base of user sampling", "user", "sampling whose unit is an example"
        ),
        (
            #"""
            {"kind": "user", "owners": [0], "userCount": 1,
             "base": {"kind": "fixed-size", "exampleCount": 1, "batchSize": 2, "isWithReplacement": true}}
            """#, "isWithReplacement of the base of user sampling", "true", "false: a user takes part in a step once"
        ),
        (
            #"{"kind": "several-owners", "owners": [[0, 2]], "ownerCount": 2, "separation": 1, "stepsPerEpoch": 1}"#,
            "An owner of example 0", "2", "one of 2 owners, numbered from 0 on, and named once"
        ),
        (
            #"{"kind": "several-owners", "owners": [[], [0,0]], "ownerCount": 2, "separation": 1, "stepsPerEpoch": 1}"#,
            "An owner of example 1", "0", "one of 2 owners, numbered from 0 on, and named once"
        ),
        (
            #"{"kind": "several-owners", "owners": [], "ownerCount": -1, "separation": 1, "stepsPerEpoch": 1}"#,
            "ownerCount", "-1", "at least 0"
        ),
        (
            #"{"kind": "several-owners", "owners": [], "ownerCount": 1, "separation": 3, "stepsPerEpoch": 2}"#,
            "separation", "3", "in 1...2"
        ),
        (
            #"{"kind": "several-owners", "owners": [], "ownerCount": 1, "separation": 1, "stepsPerEpoch": 0}"#,
            "stepsPerEpoch", "0", "in 1...16777216"
        ),
        (
            #"""
            {"kind": "several-owners", "owners": [], "ownerCount": 1, "separation": 2, "stepsPerEpoch": 5,
             "contributionBound": 3}
            """#, "contributionBound", "3", "in 1...2"
        ),
    ]

    @Test(arguments: badFiles)
    func badFilesNameValueAndRange(file: String, name: String, value: String, allowed: String) {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let expected = PrivacyMechanismError.invalidSamplingParameter(name: name, value: value, allowed: allowed)
        #expect(throws: expected) { try decoder.decode(SamplingScheme.self, from: Data(file.utf8)) }
        #expect("\(expected)" == "\(name) is \(value), but must be \(allowed). Pass a value in that range.")
    }

    @Test func edgesOfTheRangesAreAllowed() throws {
        _ = try PoissonSampler(exampleCount: 0, samplingProbability: 1)
        _ = try CyclicPoissonSampler(exampleCount: 9, bands: 9, samplingProbability: 0)
        _ = try CyclicPoissonSampler(exampleCount: 0, bands: 1, samplingProbability: 0.5)
        _ = try TruncatedPoissonSampler(exampleCount: 0, samplingProbability: 0, maximumBatchSize: 1)
        _ = try BallsInBinsSampler(exampleCount: 0, bins: 1 << 24)
        _ = try RandomAllocationSampler(exampleCount: 0, participations: 3, stepsPerEpoch: 3)
        _ = try BMinSepSampler(exampleCount: 9, separation: 3, samplingProbability: 1.0 / 3)
        _ = try BMinSepSampler(exampleCount: 9, separation: 3, samplingProbability: 0)
        _ = try FixedSizeSampler(exampleCount: 1, batchSize: 1)
        _ = try FixedSizeSampler(exampleCount: 1, batchSize: 5, isWithReplacement: true)
        _ = try ShuffledEpochs(exampleCount: 1, batchSize: 1)
    }

    @Test func eventsAreWhatTheSamplingJustifies() throws {
        let z = 1.3
        func gaussians(_ count: Int) throws -> PrivacyEvent {
            try .selfComposed(.gaussian(noiseMultiplier: z), count: count)
        }
        let subset = try PrivacyEvent.sampledWithoutReplacement(
            sourceSize: 200, sampleSize: 20, .gaussian(noiseMultiplier: z))
        let draws = try PrivacyEvent.sampledWithReplacement(
            sourceSize: 200, sampleSize: 20, .gaussian(noiseMultiplier: z))
        let truncated = try PrivacyEvent.truncatedPoissonSampledGaussian(
            datasetSize: 200, probability: 0.2, truncatedBatchSize: 40, noiseMultiplier: z)
        func allocated(_ steps: Int, _ participations: Int = 1, _ probability: Double = 1, z: Double = z) throws
            -> PrivacyEvent
        {
            try .randomAllocated(
                steps: steps, participations: participations, probability: probability, noiseMultiplier: z)
        }
        // In the order of the examples, for 41 steps.
        let events: [PrivacyEvent] = try [
            .dpSGD(noiseMultiplier: z, samplingProbability: 0.2, iterations: 41),
            .dpSGD(noiseMultiplier: z, samplingProbability: 0.5, iterations: 9),
            .dpSGD(noiseMultiplier: z, samplingProbability: 0.5, iterations: 9),
            .selfComposed(truncated, count: 41),
            // Six epochs of 6 steps, and 5 steps of the seventh.
            allocated(6, z: z / 7.0.squareRoot() * (1 - 0x1p-51)),
            .composed([.selfComposed(allocated(6), count: 6), allocated(5, 1, (5.0 / 6).nextUp)]),
            // Four epochs of 9 steps, and 5 steps of the fifth.
            .composed([.selfComposed(allocated(9, 3), count: 4), allocated(9, 3)]),
            // Frames of ⌊1/0.15⌋ = 6 steps, the first three of which can be the slot: 2 + ⌊(40 − 4)/6⌋.
            .selfComposed(allocated(3, 1, 0.15 * 6), count: 8),
            .selfComposed(subset, count: 41), .selfComposed(draws, count: 41),
            // Epochs of ⌈200/30⌉ = 7 steps.
            gaussians(6),
            .dpSGD(noiseMultiplier: z, samplingProbability: 0.2, iterations: 41),
            // As of examples.
            .selfComposed(allocated(3, 1, 0.15 * 6), count: 8),
            // An epoch of 5, and ⌈11/4⌉ in 11 steps of the second.
            .dpSGD(noiseMultiplier: z, samplingProbability: 1, iterations: 8),
        ]
        #expect(events.count == SamplingScheme.examples.count)
        for (scheme, event) in zip(SamplingScheme.examples, events) {
            #expect(try scheme.gaussianEvent(z, 41) == event)
            #expect(try scheme.gaussianEvent(z, 82) != event)
        }
        // A part of an epoch: of few steps, and of many.
        let often = try RandomAllocationSampler(exampleCount: 9, participations: 6, stepsPerEpoch: 9)
        let twice = try PrivacyEvent.selfComposed(allocated(9, 6), count: 2)
        #expect(try often.gaussianEvent(z, 20) == .composed([twice, gaussians(2)]))
        #expect(try often.gaussianEvent(z, 26) == .composed([twice, allocated(9, 6)]))
        #expect(try often.gaussianEvent(z, 18) == .composed([twice, .noOp]))
        // Fewer steps than bins, whether these stay or not.
        for isRedrawn in [false, true] {
            let bins = try BallsInBinsSampler(exampleCount: 9, bins: 8, isRedrawnEachEpoch: isRedrawn)
            let part = try PrivacyEvent.composed([
                .selfComposed(allocated(8), count: 0), allocated(3, 1, (3.0 / 8).nextUp),
            ])
            #expect(try bins.gaussianEvent(z, 3) == part)
        }
        let separated = try BMinSepSampler(exampleCount: 9, separation: 4, samplingProbability: 0.15)
        for (steps, count) in [(0, 0), (1, 1), (4, 1), (5, 2), (10, 2), (11, 3)] {
            let event = try separated.gaussianEvent(z, steps)
            #expect(event == (try .selfComposed(allocated(3, 1, 0.15 * 6), count: count)))
        }
        // The ends of the range: Poisson sampling, and balls in bins whose bins are known.
        let together = try BMinSepSampler(exampleCount: 9, separation: 1, samplingProbability: 0.15)
        let plain = try PoissonSampler(exampleCount: 9, samplingProbability: 0.15)
        #expect(
            try together.gaussianEvent(z, 41) == plain.gaussianEvent(z, 41))
        let apart = try BMinSepSampler(exampleCount: 9, separation: 4, samplingProbability: 0.25)
        let accountant = PrivacyLossDistributionAccountant()
        #expect(
            try accountant.epsilon(of: apart.gaussianEvent(z, 41), delta: 1e-5)
                == accountant.epsilon(of: gaussians(11), delta: 1e-5))
    }

    @Test(arguments: SamplingScheme.examples)
    func badQuestionsThrow(scheme: SamplingScheme) throws {
        #expect(throws: AccountingError.self) { try scheme.gaussianEvent(1, -1) }
        for z in [-1, .nan] {
            #expect(throws: AccountingError.self) { try scheme.gaussianEvent(z, 3) }
        }
        // No steps cost nothing.
        let nothing = try scheme.gaussianEvent(1, 0)
        #expect(try PrivacyLossDistributionAccountant().epsilon(of: nothing, delta: 1e-5) == 0)
    }

    /// An accountant answers for each relation that is listed; and where adding one example moves the others,
    /// add-or-remove is not listed.
    @Test func relationsAreTheOnesThatAreValid() throws {
        let all = Set(NeighboringRelation.allCases)
        let fixed: Set<NeighboringRelation> = [.replaceOne, .replaceSpecial]
        let relations: [Set<NeighboringRelation>] = [
            all, all, fixed, fixed, all, all, all, all, [.replaceOne], [.replaceOne], fixed, all, all, fixed,
        ]
        #expect(SamplingScheme.examples.map(\.relations) == relations)
        for scheme in SamplingScheme.examples {
            let event = try scheme.gaussianEvent(2, 5)
            for relation in scheme.relations {
                let tight = try? PrivacyLossDistributionAccountant(relation: relation).epsilon(of: event, delta: 1e-5)
                let renyi = try? RenyiAccountant(relation: relation).epsilon(of: event, delta: 1e-5)
                #expect(tight != nil || renyi != nil)
            }
            #expect(!scheme.assumption.isEmpty)
            #expect(
                ["The number of examples is public", "Who owns which example is fixed and public"]
                    .contains(where: scheme.assumption.hasPrefix) != scheme.relations.contains(.addOrRemoveOne))
        }
    }

    @Test func theRegistryNamesEachKindOnce() {
        let kinds = SamplingScheme.samplers.map { $0.kind }
        #expect(Set(kinds).count == kinds.count)
        #expect(Set(kinds) == Set(SamplingScheme.examples.map(\.kind)))
        #expect(
            SamplingScheme.examples.map(\.isConfidential) == SamplingScheme.examples.map { $0.privacyUnit == .user })
    }

    @Test func samplersOutsideTheRegistryTrap() async {
        await #expect(processExitsWith: .failure) { _ = SamplingScheme(UnregisteredSampler()) }
        await #expect(processExitsWith: .success) {
            _ = SamplingScheme(try PoissonSampler(exampleCount: 9, samplingProbability: 0.1))
        }
    }

    /// A key that a sampler does not have is refused, whichever sampler it is.
    @Test(arguments: SamplingScheme.examples) func unknownKeysAreRefused(scheme: SamplingScheme) throws {
        let text = String(decoding: try JSONEncoder().encode(scheme), as: UTF8.self)
        let wrong = "{\"probability\":0.5," + text.dropFirst()
        let error = #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(SamplingScheme.self, from: Data(wrong.utf8))
        }
        #expect("\(error!)".contains("There is no setting 'probability'"))
    }

    @Test func expectedSizesAreTheOnesObserved() throws {
        // What an epoch of 30 steps has, in each of them alike.
        let last = BatchSamplerHistory(of: SamplingScheme.examples.last!, steps: 30)
        let scheduled = Double(last.batches.joined().count) / 30
        let expected = [40, 20, 20, 40, 200.0 / 6, 200.0 / 6, 200.0 / 3, 30, 20, 20, 30, 14, 10.5, scheduled]
        #expect(SamplingScheme.examples.map(\.expectedBatchSize) == expected)
        #expect(SamplingScheme.examples.map(\.privacyUnit) == (0..<11).map { _ in .example } + [.user, .user, .user])
    }
}

/// A sampler that is in no registry.
private struct UnregisteredSampler: BatchSampler {
    static let kind = "unregistered"
    static let keys: [String] = []
    var exampleCount: Int { 1 }
    var expectedBatchSize: Double { 1 }
    var relations: Set<NeighboringRelation> { [.replaceOne] }
    var assumption: String { "" }

    func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try ParticipationPattern(iterations: iterations, choice: .eachStep(probability: 1))
    }

    func part(of count: Int) throws(PrivacyMechanismError) -> any BatchSampler { self }

    func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] { [0] }
}
