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

/// What an audit chooses at random, from the operating system, or, so that an audit can be repeated, from a seed.
enum AuditGenerator: RandomNumberGenerator {
    case system
    case seeded(SplitMix64)

    /// What is drawn. Constants set seeded streams apart from each other, and from whatever else has the same seed.
    enum Purpose: UInt64 {
        /// Coins and directions of canaries.
        case canaries = 0x6361_6e61_7269_6573
        /// Splits and resampling of their scores, which must know nothing of the coins.
        case bounds = 0x626f_756e_6473_2121
    }

    init(_ purpose: Purpose, nonPrivateSeed seed: UInt64?) {
        self = seed.map { .seeded(SplitMix64(seed: $0 ^ purpose.rawValue)) } ?? .system
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
