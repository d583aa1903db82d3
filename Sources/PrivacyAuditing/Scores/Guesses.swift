/// What an attack gets right that takes canaries above one threshold for included.
struct Guesses: Hashable {
    /// Canaries that were included.
    let includedCount: Int
    /// Canaries that were not.
    let excludedCount: Int
    /// Included ones above the threshold.
    let truePositives: Int
    /// Excluded ones above the threshold.
    let falsePositives: Int

    /// r, the canaries above the threshold. The attack abstains from the others.
    var guessCount: Int { truePositives + falsePositives }

    /// m.
    var canaryCount: Int { includedCount + excludedCount }

    var truePositiveRate: Double { Double(truePositives) / Double(includedCount) }

    var falsePositiveRate: Double { Double(falsePositives) / Double(excludedCount) }

    /// Excluded ones above the threshold, and included ones that are not.
    var mistakes: Int { falsePositives + includedCount - truePositives }
}
