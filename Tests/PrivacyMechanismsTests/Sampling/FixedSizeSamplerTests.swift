import PrivacyMechanisms
import Testing

struct FixedSizeSamplerTests {
    private static func batches(n: Int, m: Int, isWithReplacement: Bool, steps: Int) throws -> [[Int]] {
        let sampler = try FixedSizeSampler(exampleCount: n, batchSize: m, isWithReplacement: isWithReplacement)
        return Batches(.fixedSize(sampler), from: SamplingSource(nonPrivateSeed: 1)).prefix(steps).map(\.examples)
    }

    /// How often each multiset of two of four is drawn.
    private static func pairs(_ batches: [[Int]]) -> (distinct: [Int], equal: [Int]) {
        var (distinct, equal) = ([[Int]: Int](), [[Int]: Int]())
        for left in 0..<4 {
            for right in left..<4 {
                if left == right { equal[[left, left]] = 0 } else { distinct[[left, right]] = 0 }
            }
        }
        for batch in batches { if batch[0] == batch[1] { equal[batch]! += 1 } else { distinct[batch]! += 1 } }
        return (Array(distinct.values), Array(equal.values))
    }

    @Test func withoutReplacementEverySubsetIsAsLikely() throws {
        let pairs = Self.pairs(try Self.batches(n: 4, m: 2, isWithReplacement: false, steps: 20_000))
        #expect(pairs.equal == [0, 0, 0, 0])
        #expect(CountStatistics.isUniform(pairs.distinct))
        // Control: one in ten batches is the first two.
        let biased = try Self.batches(n: 4, m: 2, isWithReplacement: false, steps: 20_000).enumerated()
        #expect(!CountStatistics.isUniform(Self.pairs(biased.map { $0 % 10 == 0 ? [0, 1] : $1 }).distinct))
        for (n, m) in [(1000, 100), (1000, 1000), (50, 1), (100, 99)] {
            let batches = try Self.batches(n: n, m: m, isWithReplacement: false, steps: 20)
            #expect(batches.allSatisfy { $0.count == m && Set($0).count == m && $0 == $0.sorted() })
            #expect(batches.allSatisfy { $0.allSatisfy((0..<n).contains) })
            #expect(Set(batches).count > 10 || n == m)
        }
    }

    @Test func withReplacementEveryDrawIsIndependent() throws {
        let batches = try Self.batches(n: 4, m: 2, isWithReplacement: true, steps: 20_000)
        let pairs = Self.pairs(batches)
        let probabilities = pairs.distinct.map { _ in 2.0 / 16 } + pairs.equal.map { _ in 1.0 / 16 }
        #expect(CountStatistics.isPlausible(pairs.distinct + pairs.equal, probabilities: probabilities))
        // Control: multisets are not equally likely.
        #expect(!CountStatistics.isUniform(pairs.distinct + pairs.equal))
        let large = try Self.batches(n: 30, m: 100, isWithReplacement: true, steps: 300)
        #expect(large.allSatisfy { $0.count == 100 && $0 == $0.sorted() })
        #expect(CountStatistics.isUniform(BatchSamplerHistory(exampleCount: 30, batches: large).participations))
    }

    /// Steps are independent: a batch is drawn again with 1 in 6.
    @Test func stepsAreIndependent() throws {
        let batches = try Self.batches(n: 4, m: 2, isWithReplacement: false, steps: 20_001)
        let again = zip(batches, batches.dropFirst()).count { $0 == $1 }
        #expect(CountStatistics.isBinomial(again, trials: 20_000, probability: 1.0 / 6))
        #expect(!CountStatistics.isBinomial(again, trials: 20_000, probability: 1.0 / 7))
    }
}
