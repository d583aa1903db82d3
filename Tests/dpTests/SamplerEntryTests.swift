import Foundation
import PrivateTraining
import Testing

@testable import dp

/// A sampler as `dp` is asked about it, and as the library makes it.
struct AskedSampler: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let scheme: SamplingScheme
    let iterations: Int
    let relation: NeighboringRelation
    /// The keys of its own that its lines of JSON have.
    let keys: Set<String>
    var accountant = "pld"
    var testDescription: String { arguments.joined(separator: " ") }

    init(
        _ arguments: String, _ scheme: SamplingScheme, _ iterations: Int,
        _ relation: NeighboringRelation = .addOrRemoveOne, keys: Set<String>, accountant: String = "pld"
    ) {
        self.arguments = arguments.split(separator: " ").map(String.init)
        (self.scheme, self.iterations, self.relation) = (scheme, iterations, relation)
        (self.keys, self.accountant) = (keys, accountant)
    }

    /// Who computes its ε in the library.
    var judge: any PrivacyAccountant {
        accountant == "pld"
            ? PrivacyLossDistributionAccountant(relation: relation) : RenyiAccountant(relation: relation)
    }

    /// Its steps under noise of real numbers.
    func event(z: Double) throws -> PrivacyEvent {
        try NoiseScheme.floatingPointGaussian.event(
            of: scheme.participation(in: iterations), noiseMultiplier: z)
    }

    static let all: [AskedSampler] = {
        do {
            return try [
                AskedSampler(
                    "--sampling-probability 0.01 --iterations 100",
                    .poisson(PoissonSampler(exampleCount: 7, samplingProbability: 0.01)), 100,
                    keys: ["samplingProbability"]),
                AskedSampler(
                    "--sampling user --sampling-probability 0.05 --iterations 40",
                    .user(UserSampler(owners: [0, 1, 1], userCount: 2, samplingProbability: 0.05)), 40,
                    keys: ["sampling", "samplingProbability"]),
                AskedSampler(
                    "--sampling cyclic-poisson --bands 4 --sampling-probability 0.2 --iterations 103",
                    .cyclicPoisson(CyclicPoissonSampler(exampleCount: 9, bands: 4, samplingProbability: 0.2)), 103,
                    keys: ["sampling", "bands", "samplingProbability"]),
                AskedSampler(
                    "--sampling cyclic-poisson --bands 4 --sampling-probability 0.2 --iterations 12 "
                        + "--partition equal-sizes",
                    .cyclicPoisson(
                        CyclicPoissonSampler(
                            exampleCount: 9, bands: 4, samplingProbability: 0.2, partition: .equalSizes)),
                    12, .replaceOne, keys: ["sampling", "bands", "samplingProbability", "partition"]),
                AskedSampler(
                    "--sampling b-min-sep --separation 3 --sampling-probability 0.05 --iterations 100",
                    .bMinSep(BMinSepSampler(exampleCount: 9, separation: 3, samplingProbability: 0.05)), 100,
                    keys: ["sampling", "separation", "samplingProbability"]),
                AskedSampler(
                    "--sampling truncated --examples 1000 --sampling-probability 0.1 --limit 130 --iterations 20 "
                        + "--relation replace-special",
                    .truncatedPoisson(
                        TruncatedPoissonSampler(
                            exampleCount: 1000, samplingProbability: 0.1, maximumBatchSize: 130)),
                    20, .replaceSpecial,
                    keys: ["sampling", "exampleCount", "samplingProbability", "maximumBatchSize"]),
                AskedSampler(
                    "--sampling fixed-size --examples 1000 --batch 30 --iterations 50 --relation replace-one",
                    .fixedSize(FixedSizeSampler(exampleCount: 1000, batchSize: 30)), 50, .replaceOne,
                    keys: ["sampling", "exampleCount", "batchSize", "isWithReplacement"], accountant: "rdp"),
                AskedSampler(
                    "--sampling balls-in-bins --bins 20 --epochs 3",
                    .ballsInBins(BallsInBinsSampler(exampleCount: 9, bins: 20)), 60,
                    keys: ["sampling", "bins", "isRedrawnEachEpoch", "epochs"]),
                AskedSampler(
                    "--sampling balls-in-bins --bins 20 --epochs 3 --redrawn",
                    .ballsInBins(BallsInBinsSampler(exampleCount: 9, bins: 20, isRedrawnEachEpoch: true)), 60,
                    keys: ["sampling", "bins", "isRedrawnEachEpoch", "epochs"]),
                AskedSampler(
                    "--sampling random-allocation --block-steps 12 --participations 2 --epochs 2",
                    .randomAllocation(
                        RandomAllocationSampler(exampleCount: 9, participations: 2, stepsPerEpoch: 12)),
                    24, keys: ["sampling", "stepsPerEpoch", "participations", "epochs"]),
                AskedSampler(
                    "--sampling random-allocation --block-steps 12 --participations 2 --iterations 24",
                    .randomAllocation(
                        RandomAllocationSampler(exampleCount: 9, participations: 2, stepsPerEpoch: 12)),
                    24, keys: ["sampling", "stepsPerEpoch", "participations"]),
                AskedSampler(
                    "--sampling shuffled-epochs --examples 1000 --batch 300 --epochs 3",
                    .shuffledEpochs(ShuffledEpochs(exampleCount: 1000, batchSize: 300)), 12, .replaceOne,
                    keys: ["sampling", "exampleCount", "batchSize", "epochs"]),
                AskedSampler(
                    "--sampling several-owners --separation 4 --block-steps 20 --contributions 3 --iterations 50 "
                        + "--relation replace-special",
                    .severalOwners(
                        SeveralOwnersSampler(
                            owners: [[0, 1], [1]], ownerCount: 2, separation: 4, stepsPerEpoch: 20,
                            contributionBound: 3)),
                    50, .replaceSpecial, keys: ["sampling", "separation", "stepsPerEpoch", "contributionBound"]),
            ]
        } catch {
            fatalError("A sampler of the tests is not one: \(error)")
        }
    }()
}

/// The samplers of the command line are the library's.
@Suite struct SamplerEntryTests {
    static let commonKeys: Set = [
        "epsilon", "delta", "lowerBound", "iterations", "noiseMultiplier", "accountant", "relation",
    ]

    /// ε for δ and δ for ε, noise for both: each is what the library says of the sampler that it makes.
    @Test(arguments: AskedSampler.all) func theAnswersAreTheLibrarys(asked: AskedSampler) throws {
        let folder = try WorkFolder()
        let options = asked.arguments + ["--accountant", asked.accountant, "--format", "json"]
        func answer(_ arguments: [String]) throws -> [String: Any] {
            let outcome = try Program.run(arguments + options, in: folder)
            #expect(outcome.status == 0, "\(outcome.messages)")
            // Of several relations that could be meant, the one that is taken is named.
            let isMeant = asked.relation == .addOrRemoveOne || asked.arguments.contains("--relation")
            #expect(outcome.messages.contains("The answer is for \(asked.relation.rawValue)") != isMeant)
            return try outcome.json()
        }
        let event = try asked.event(z: 1.5)
        let costs = try answer(["epsilon", "--noise-multiplier", "1.5", "--delta", "1e-5"])
        #expect(Set(costs.keys) == asked.keys.union(Self.commonKeys))
        #expect(costs["epsilon"] as? Double == (try asked.judge.epsilon(of: event, delta: 1e-5)))
        #expect(costs["relation"] as? String == asked.relation.rawValue)
        #expect(costs["iterations"] as? Int == asked.iterations && costs["delta"] as? Double == 1e-5)
        let kind = asked.scheme.kind
        #expect(costs["sampling"] as? String == (kind == "poisson" ? nil : kind))

        let risk = try answer(["epsilon", "--noise-multiplier", "1.5", "--epsilon", "1"])
        #expect(Set(risk.keys) == asked.keys.union(Self.commonKeys).union(["lowerDelta"]))
        #expect(risk["delta"] as? Double == (try asked.judge.delta(of: event, epsilon: 1)))
        #expect(risk["epsilon"] as? Double == 1 && risk["lowerBound"] is NSNull)

        let noise = try answer(["calibrate", "--epsilon", "2", "--delta", "1e-5"])
        let z = try #require(noise["noiseMultiplier"] as? Double)
        let spent = try asked.judge.epsilon(of: asked.event(z: z), delta: 1e-5)
        #expect(noise["epsilon"] as? Double == spent)
        // The tolerance of a calibration is 2·10⁻⁵, and ε moves at most some ten times as fast as z here.
        #expect(spent <= 2 && spent > 2 * (1 - 2e-4))
        for (key, value) in costs where asked.keys.contains(key) {
            #expect("\(noise[key] ?? "none")" == "\(value)", "\(key)")
        }
    }

    /// Nobody who adds a sampler to the library can forget the command line, and every option of the table is one of
    /// both commands.
    @Test func everySamplerAndEveryOptionIsThere() {
        #expect(SamplerEntry.all.map(\.kind).sorted() == SamplingScheme.samplers.map { $0.kind }.sorted())
        #expect(Set(SamplerEntry.all.map(\.name)).count == SamplerEntry.all.count)
        for option in SamplerEntry.options {
            #expect(EpsilonCommand.optionNames.contains(option.flag))
            #expect(CalibrateCommand.optionNames.contains(option.flag))
        }
        for entry in SamplerEntry.all { #expect(SamplerEntry.help.contains("\(entry.name): ")) }
        #expect(SamplerEntry(written: "truncated")?.kind == "truncated-poisson")
        #expect(SamplerEntry(written: "truncated-poisson")?.name == "truncated")
    }

    /// What an entry fills in because a plan needs it does not move ε: with other values the event is the same.
    @Test func whatIsFilledInDoesNotMatter() throws {
        let numbers: [String: JSONValue] = [
            "samplingProbability": .number(0.1), "bands": .integer(2), "separation": .integer(2), "bins": .integer(5),
            "stepsPerEpoch": .integer(5), "participations": .integer(2), "exampleCount": .integer(100),
            "maximumBatchSize": .integer(20), "batchSize": .integer(10),
        ]
        let others: [String: JSONValue] = [
            "exampleCount": .integer(50), "owners": .list([.integer(0)]), "userCount": .integer(3),
        ]
        for entry in SamplerEntry.all {
            // An option that has a companion is one that depends on it.
            let keys = (entry.needed + entry.optional).map(\.key).filter { entry.companions[$0] == nil }
            let given = numbers.filter { keys.contains($0.key) }
            var changed = others.filter { entry.rest.keys.contains($0.key) }
            if entry.kind == "several-owners" {
                changed = ["owners": .list([.list([.integer(0), .integer(2)])]), "ownerCount": .integer(3)]
            }
            let (filled, other) = try (entry.scheme(given), entry.scheme(given.merging(changed) { $1 }))
            #expect((filled == other) == changed.isEmpty)
            for iterations in [0, 1, 17] {
                #expect(
                    try filled.participation(in: iterations) == other.participation(in: iterations), "\(entry.name)")
            }
        }
    }

    /// Where an event only covers what is done, nothing is claimed from below. For (z, t) = (1, 8) the true ε of random
    /// allocation at δ = 10⁻⁸ is at most 3.727 (arXiv 2602.17284); the Gaussian that covers it has more.
    @Test func aCoverIsNoLowerBound() throws {
        let sampler = try RandomAllocationSampler(exampleCount: 1, participations: 1, stepsPerEpoch: 8)
        let pattern = try sampler.participation(in: 8)
        let question = Question.epsilon(delta: 1e-8)
        func lower(isExact: Bool, of event: PrivacyEvent) throws -> Double? {
            try question.ends(of: event, by: PrivacyLossDistributionAccountant(), isExact: isExact).lower
        }
        let cover = try PrivacyEvent.selfComposed(.gaussian(noiseMultiplier: 1), count: 1)
        #expect(!pattern.isDescribedExactly(by: cover))
        #expect(try lower(isExact: pattern.isDescribedExactly(by: cover), of: cover) == nil)
        // The twin that takes it for exact is wrong.
        #expect(try #require(try lower(isExact: true, of: cover)) > 3.727)
        // Whatever event it is accounted as, the lower end that is shown is none, or true.
        let event = try NoiseScheme.floatingPointGaussian.event(of: pattern, noiseMultiplier: 1)
        let shown = try lower(isExact: pattern.isDescribedExactly(by: event), of: event)
        #expect(shown.map { $0 <= 3.727 } ?? true)

        func isExact(_ scheme: SamplingScheme, _ event: PrivacyEvent) throws -> Bool {
            try scheme.participation(in: 8).isDescribedExactly(by: event)
        }
        let poisson = try PrivacyEvent.dpSGD(noiseMultiplier: 1, samplingProbability: 0.1, iterations: 8)
        #expect(try isExact(.poisson(PoissonSampler(exampleCount: 1, samplingProbability: 0.1)), poisson))
        for bands in [1, 2] {
            let cyclic = try CyclicPoissonSampler(exampleCount: 9, bands: bands, samplingProbability: 0.1)
            #expect(try isExact(.cyclicPoisson(cyclic), poisson) == (bands == 1))
            let separated = try BMinSepSampler(exampleCount: 9, separation: bands, samplingProbability: 0.1)
            #expect(try isExact(.bMinSep(separated), poisson) == (bands == 1))
            // Nobody knows whose turn a step is, truncated or not.
            let truncated = try CyclicPoissonSampler(
                exampleCount: 10, bands: bands, samplingProbability: 0.1, partition: .equalSizes, maximumBatchSize: 3)
            #expect(try isExact(.cyclicPoisson(truncated), poisson) == (bands == 1))
        }
        let mixed = try PrivacyEvent.composed([.laplace(noiseMultiplier: 1), cover])
        #expect(!pattern.isDescribedExactly(by: mixed))
        let other = try PrivacyEvent.selfComposed(.laplace(noiseMultiplier: 1), count: 3)
        #expect(pattern.isDescribedExactly(by: other))
        #expect(try !sampler.participation(in: 9).isDescribedExactly(by: other))
        let all = try RandomAllocationSampler(exampleCount: 1, participations: 8, stepsPerEpoch: 8)
        #expect(try isExact(.randomAllocation(all), .selfComposed(.gaussian(noiseMultiplier: 1), count: 8)))
        #expect(try !isExact(.shuffledEpochs(ShuffledEpochs(exampleCount: 9, batchSize: 3)), cover))
    }
}
