import Testing
import _TestSupport

@testable import PrivacyAuditing

/// **Guarantee:** each canary is in by a fair coin of its own, tossed before anything of the data is known.
@Suite struct CanaryCoinsTests {
    /// How far pairs of neighbours, and coins alone, are from fair: squared deviations in units of their variance.
    private func unfairness(_ coins: [Bool]) -> Double {
        func squared(_ hits: Int, of count: Int, share: Double) -> Double {
            let deviation = Double(hits) - share * Double(count)
            return deviation * deviation / (Double(count) * share * (1 - share))
        }
        let heads = coins.count { $0 }
        let equal = zip(coins, coins.dropFirst()).count { $0 == $1 }
        return max(
            squared(heads, of: coins.count, share: 0.5), squared(equal, of: coins.count - 1, share: 0.5))
    }

    /// Both are squares of normals: 5² has a probability of 6e-7.
    @Test(arguments: [nil, 7] as [UInt64?])
    func coinsAreFairAndIndependent(seed: UInt64?) {
        var generator = AuditGenerator(.canaries, nonPrivateSeed: seed)
        #expect(unfairness(CanaryCoins(count: 100_000, using: &generator).isIncluded) < 25)
        // Every second canary is in: fair, but known.
        withKnownIssue { #expect(unfairness((0..<100_000).map { $0.isMultiple(of: 2) }) < 25) }
    }

    /// A split by the numbers that were the coins would put all canaries that are in into one half.
    @Test func splitsKnowNothingOfCoins() {
        var (coins, splits) = (
            AuditGenerator(.canaries, nonPrivateSeed: 7), AuditGenerator(.bounds, nonPrivateSeed: 7)
        )
        let equal = (0..<100_000).map { _ in Bool.random(using: &coins) == Bool.random(using: &splits) }
        #expect(unfairness(equal) < 25)
    }

    @Test func aSeedRepeatsThem() {
        func coins(_ seed: UInt64) -> CanaryCoins {
            var generator = AuditGenerator(.canaries, nonPrivateSeed: seed)
            return CanaryCoins(count: 64, using: &generator)
        }
        #expect(coins(1) == coins(1) && coins(1) != coins(2))
    }
}
