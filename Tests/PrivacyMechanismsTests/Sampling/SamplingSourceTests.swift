import Foundation
import PrivacyMechanisms
import Testing

struct SamplingSourceTests {
    private static func batches(_ source: SamplingSource) throws -> [[Int]] {
        let sampler = try PoissonSampler(exampleCount: 1000, samplingProbability: 0.3)
        return Batches(.poisson(sampler), from: source).prefix(3).map(\.examples)
    }

    @Test func seedsAndKeysGiveBatchesOfTheirOwn() throws {
        let seeds: [UInt64] = [0, 1, 1 << 32, .max]
        let seeded = try seeds.map { try Self.batches(SamplingSource(nonPrivateSeed: $0)) }
        #expect(Set(seeded).count == seeds.count)
        #expect(try Self.batches(SamplingSource(nonPrivateSeed: 1)) == seeded[1])
        let (first, second) = (SamplingSource(), SamplingSource())
        #expect(first != second)
        #expect(try Self.batches(first) != Self.batches(second))
        #expect(try !seeded.contains(Self.batches(first)))
        #expect(!first.isSeeded && SamplingSource(nonPrivateSeed: 3).isSeeded)
    }

    @Test func aRestoredSourceGivesTheSameBatches() throws {
        for source in [SamplingSource(), SamplingSource(nonPrivateSeed: 5)] {
            let data = try JSONEncoder().encode(source.secretState)
            let state = try JSONDecoder().decode(SamplingSource.SecretState.self, from: data)
            let restored = SamplingSource(secretState: state)
            #expect(restored == source && restored.isSeeded == source.isSeeded)
            #expect(try Self.batches(restored) == Self.batches(source))
        }
    }

    @Test func damagedKeysThrow() throws {
        for count in [0, 15, 17] {
            let json = "{\"key\": \([UInt8](repeating: 1, count: count)), \"isSeeded\": false}"
            let expected = PrivacyMechanismError.invalidSamplingParameter(
                name: "The length of the sampling key", value: "\(count)", allowed: "16 bytes")
            #expect(throws: expected) {
                try JSONDecoder().decode(SamplingSource.SecretState.self, from: Data(json.utf8))
            }
        }
    }

    /// Neither printing nor dumping shows the key's bytes, as numbers or in hexadecimal.
    @Test func theKeyIsNotPrinted() throws {
        let source = SamplingSource(nonPrivateSeed: 0)
        let key: [UInt8] = [0x4c, 0xea, 0x76, 0xf0, 0x0c, 0x4d, 0x8f, 0x31]
        func shows(_ text: String) -> Bool {
            let decimal = key.prefix(4).allSatisfy { text.contains("\($0)") }
            return decimal || text.lowercased().contains("4cea")
        }
        for value in [source, source.secretState] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            #expect(!shows("\(value)") && !shows(String(reflecting: value)) && !shows(dumped))
        }
        // Control: the explicit way shows it.
        #expect(shows(String(decoding: try JSONEncoder().encode(source.secretState), as: UTF8.self)))
    }

    /// Steps that are taken anew draw anew, also under one seed; the structure, on which the analysis of a whole run
    /// rests, stays.
    @Test(arguments: SamplingScheme.examples)
    func freshStepsKeepTheStructure(_ scheme: SamplingScheme) throws {
        let source = SamplingSource(nonPrivateSeed: 5)
        let sources = [source, source.withFreshSteps(), source.withFreshSteps()]
        let batches = sources.map { Array(Batches(scheme, from: $0).prefix(8)) }
        #expect(Set(batches).count == (scheme.repetition == .drawsAnew ? 3 : 1))
        // The key that is kept is that of the structure: a run can be gone on with from it any number of times.
        #expect(SamplingSource(secretState: sources[1].secretState) == source)
    }

    /// What a sampler says of repetitions is what it does, at the ends of its range too.
    @Test func wholeGroupsAreRepeated() throws {
        let source = SamplingSource(nonPrivateSeed: 5)
        let schemes: [SamplingScheme] = [
            .cyclicPoisson(try CyclicPoissonSampler(exampleCount: 200, bands: 5, samplingProbability: 1)),
            .bMinSep(try BMinSepSampler(exampleCount: 200, separation: 4, samplingProbability: 0.25)),
        ]
        for scheme in schemes {
            #expect(scheme.repetition == .repeatsTheBatch)
            #expect(scheme.batch(at: 6, from: source) == scheme.batch(at: 6, from: source.withFreshSteps()))
        }
    }

    /// **Guarantee:** what a checkpoint keeps tells nothing of the choices of steps: whoever guesses them from it is
    /// right about as many examples as by chance, 1000 · (0.3² + 0.7²) = 580 within six deviations of 15.6 (a false
    /// alarm in 5·10⁸).
    @Test func theStructuresKeyTellsNothingOfSteps() throws {
        let sampler = try PoissonSampler(exampleCount: 1000, samplingProbability: 0.3)
        func agreement(_ one: SamplingSource, _ other: SamplingSource) -> Int {
            1000 - Set(sampler.batch(at: 2, from: one)).symmetricDifference(sampler.batch(at: 2, from: other)).count
        }
        let source = SamplingSource().withFreshSteps()
        let restored = SamplingSource(secretState: source.secretState)
        #expect(abs(agreement(source, restored) - 580) < 94)
        // Control: the choices themselves agree with themselves.
        #expect(agreement(source, source) == 1000)
    }
}
