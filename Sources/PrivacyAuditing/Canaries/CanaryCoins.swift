import Datasets

/// Which canaries take part in a run.
///
/// **Guarantee:** each does by a fair coin of its own. Coins are tossed before anything of the data or of the run is
/// known, and by a generator that neither of them uses.
struct CanaryCoins: Hashable {
    /// True for canaries that take part.
    let isIncluded: [Bool]

    init(count: Int, using generator: inout some RandomNumberGenerator) {
        isIncluded = (0..<count).map { _ in Bool.random(using: &generator) }
    }
}

/// Coins and directions from the operating system, or, so that an audit can be repeated, from a seed.
enum AuditGenerator: RandomNumberGenerator {
    case system
    case seeded(SplitMix64)

    init(nonPrivateSeed seed: UInt64?) {
        // A constant sets the coins apart from whatever else is seeded with the same number.
        self = seed.map { .seeded(SplitMix64(seed: $0 ^ 0x6361_6e61_7269_6573)) } ?? .system
    }

    mutating func next() -> UInt64 {
        guard case .seeded(var generator) = self else {
            var generator = SystemRandomNumberGenerator()
            return generator.next()
        }
        defer { self = .seeded(generator) }
        return generator.next()
    }
}
