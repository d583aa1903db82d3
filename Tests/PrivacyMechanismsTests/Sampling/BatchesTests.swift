import Foundation
import PrivacyMechanisms
import Testing

/// What holds for every sampler: batches are a function of configuration, source and step.
struct BatchesTests {
    @Test(arguments: SamplingScheme.examples)
    func resumingEqualsNotStopping(scheme: SamplingScheme) throws {
        let source = SamplingSource()
        let whole = Array(Batches(scheme, from: source).prefix(40))
        let state = try JSONEncoder().encode(source.secretState)
        let restored = SamplingSource(
            secretState: try JSONDecoder().decode(SamplingSource.SecretState.self, from: state))
        for step in [0, 1, 7, 13, 39] {
            #expect(Array(Batches(scheme, from: restored, startingAt: step).prefix(40 - step)) == Array(whole[step...]))
            #expect(scheme.batch(at: step, from: restored) == whole[step])
            #expect(
                scheme.sampler.rows(
                    of: scheme.sampler.batch(at: step, from: restored), at: step, from: restored) == whole[step])
        }
        #expect(whole.allSatisfy { $0.allSatisfy((0..<scheme.exampleCount).contains) })
        for batch in whole {
            let units = (0..<batch.unitCount).map { unit in
                batch.units.map { Array(batch[$0[unit]]) } ?? [batch[unit]]
            }
            #expect(units.map { $0[0] } == units.map { $0[0] }.sorted() && units.allSatisfy { $0 == $0.sorted() })
        }
        // Controls: another source, which a schedule that is fixed does not see, and a start that is one step off.
        let isFixed = scheme.kind == "several-owners"
        #expect((Array(Batches(scheme, from: SamplingSource()).prefix(40)) == whole) == isFixed)
        #expect(Array(Batches(scheme, from: source, startingAt: 1).prefix(39)) != Array(whole.prefix(39)))
    }

    /// A step far ahead costs no replay: it would take years.
    @Test(arguments: SamplingScheme.examples)
    func stepsFarAheadAreReachedDirectly(scheme: SamplingScheme) {
        let source = SamplingSource(nonPrivateSeed: 2)
        var batches = Batches(scheme, from: source, startingAt: 1 << 50).makeIterator()
        let first = batches.next()
        #expect(first == scheme.batch(at: 1 << 50, from: source) && batches.step == 1 << 50 + 1)
        #expect(batches.next() == scheme.batch(at: 1 << 50 + 1, from: source))
    }

    /// One cache for all samplers, two sources and steps in any order gives what no cache gives.
    @Test func theCacheDoesNotMatter() {
        var cache = SamplingCache()
        for step in [3, 4, 30, 3, 12, 0] {
            for scheme in SamplingScheme.examples {
                for seed in [1, 2] as [UInt64] {
                    let source = SamplingSource(nonPrivateSeed: seed)
                    for _ in 0..<2 {
                        #expect(
                            scheme.batch(at: step, from: source, cache: &cache) == scheme.batch(at: step, from: source))
                    }
                }
            }
        }
    }

    @Test(arguments: SamplingScheme.examples)
    func batchesVaryFromStepToStep(scheme: SamplingScheme) {
        let batches = Batches(scheme, from: SamplingSource(nonPrivateSeed: 3)).prefix(4)
        #expect(Set(batches).count == 4)
    }

    @Test(arguments: [1, 2, 8, 64])
    func paddingFillsUpToAMultiple(multiple: Int) throws {
        let sampler = try PoissonSampler(exampleCount: 40, samplingProbability: 0.1)
        let source = SamplingSource(nonPrivateSeed: 4)
        let plain = Batches(.poisson(sampler), from: source).prefix(200)
        let padded = Batches(.poisson(sampler), from: source, paddedToMultipleOf: multiple).prefix(200)
        for (batch, full) in zip(plain, padded) {
            #expect(full.count % multiple == 0 && full.count - batch.count < multiple)
            #expect(full.examples.starts(with: batch) && full.dropFirst(batch.count).allSatisfy { $0 == -1 })
        }
        // Control: some batches need it, and empty ones occur and stay empty.
        #expect(multiple == 1 || plain.contains { $0.count % multiple != 0 })
        #expect(padded.contains { $0.isEmpty })
    }

    @Test func mistakesTrap() async {
        await #expect(processExitsWith: .failure) {
            let sampler = try PoissonSampler(exampleCount: 4, samplingProbability: 0.1)
            _ = Batches(.poisson(sampler), from: SamplingSource(nonPrivateSeed: 0), startingAt: -1)
        }
        await #expect(processExitsWith: .failure) {
            let sampler = try PoissonSampler(exampleCount: 4, samplingProbability: 0.1)
            _ = Batches(.poisson(sampler), from: SamplingSource(nonPrivateSeed: 0), paddedToMultipleOf: 0)
        }
        await #expect(processExitsWith: .failure) {
            let sampler = try BallsInBinsSampler(exampleCount: 4, bins: 3)
            _ = sampler.batch(at: -1, from: SamplingSource(nonPrivateSeed: 0))
        }
        // Control: what is allowed does not.
        await #expect(processExitsWith: .success) {
            let sampler = try BallsInBinsSampler(exampleCount: 4, bins: 3)
            let source = SamplingSource(nonPrivateSeed: 0)
            _ = Batches(.ballsInBins(sampler), from: source, startingAt: 0, paddedToMultipleOf: 1)
            _ = sampler.batch(at: 0, from: source)
        }
    }
}

extension SamplingScheme {
    /// One of each kind, and of each way that a kind works in.
    static let examples: [SamplingScheme] = try! [
        .poisson(PoissonSampler(exampleCount: 200, samplingProbability: 0.2)),
        .cyclicPoisson(CyclicPoissonSampler(exampleCount: 200, bands: 5, samplingProbability: 0.5)),
        .cyclicPoisson(
            CyclicPoissonSampler(exampleCount: 200, bands: 5, samplingProbability: 0.5, partition: .equalSizes)),
        .truncatedPoisson(TruncatedPoissonSampler(exampleCount: 200, samplingProbability: 0.2, maximumBatchSize: 40)),
        .ballsInBins(BallsInBinsSampler(exampleCount: 200, bins: 6)),
        .ballsInBins(BallsInBinsSampler(exampleCount: 200, bins: 6, isRedrawnEachEpoch: true)),
        .randomAllocation(RandomAllocationSampler(exampleCount: 200, participations: 3, stepsPerEpoch: 9)),
        .bMinSep(BMinSepSampler(exampleCount: 200, separation: 4, samplingProbability: 0.15)),
        .fixedSize(FixedSizeSampler(exampleCount: 200, batchSize: 20)),
        .fixedSize(FixedSizeSampler(exampleCount: 200, batchSize: 20, isWithReplacement: true)),
        .shuffledEpochs(ShuffledEpochs(exampleCount: 200, batchSize: 30)),
        .user(UserSampler(owners: (0..<200).map { $0 % 70 }, userCount: 70, samplingProbability: 0.2)),
        .user(
            UserSampler(
                owners: (0..<200).map { $0 % 70 },
                base: .bMinSep(BMinSepSampler(exampleCount: 70, separation: 4, samplingProbability: 0.15)),
                examplesPerUser: 2)),
        .severalOwners(
            SeveralOwnersSampler(
                owners: (0..<200).map(owners(of:)), ownerCount: 70, separation: 4, stepsPerEpoch: 30,
                contributionBound: 5)),
    ]

    /// The owners of example i: one of them for user sampling.
    static func owners(of example: Int) -> [Int] {
        example % 3 == 0 ? [example % 70] : [example % 70, (example * 7 + 3) % 70].reduced
    }
}

extension [Int] {
    /// Each number once.
    fileprivate var reduced: [Int] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}
