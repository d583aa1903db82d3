import Foundation
import PrivacyMechanisms
import Testing

struct SamplingSourceTests {
    private static func batches(_ source: SamplingSource) throws -> [[Int]] {
        let sampler = try PoissonSampler(exampleCount: 1000, samplingProbability: 0.3)
        return Array(Batches(sampler, from: source).prefix(3))
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

    /// Steps that are taken anew draw anew; partitions and epochs, on which the analysis of a whole run rests, stay.
    @Test func attemptsHaveStepsOfTheirOwn() throws {
        let source = SamplingSource(nonPrivateSeed: 5)
        let poisson = try PoissonSampler(exampleCount: 500, samplingProbability: 0.2)
        let shuffled = try ShuffledEpochs(exampleCount: 500, batchSize: 50)
        let sources = [source, source.forAttempt(1), source.forAttempt(2), source.forAttempt(1)]
        let batches = sources.map { poisson.batch(at: 3, from: $0) }
        #expect(Set(batches).count == 3)
        #expect(batches[1] == batches[3])
        #expect(Set(sources.map { shuffled.batch(at: 3, from: $0) }).count == 1)
        // The key that is kept is the first one's: attempts can be counted on from it.
        #expect(SamplingSource(secretState: source.forAttempt(2).secretState).forAttempt(1) == source.forAttempt(1))
    }
}
