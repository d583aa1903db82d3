/// The scores that an attack gave to canaries: higher where it takes a canary for included.
///
/// Canaries are the units of privacy that an audit adds. Each was included by an independent fair coin.
public struct CanaryScores: Hashable, Sendable {
    /// Scores of canaries that took part in the run, ascending.
    public let included: [Double]
    /// Scores of canaries that did not, ascending.
    public let excluded: [Double]

    /// Scores in any order. Infinite ones are allowed.
    /// - Throws: ``AuditingError/noScores(name:)`` if either list is empty, ``AuditingError/notANumber(name:index:)``
    ///   if a score is NaN.
    public init(included: [Double], excluded: [Double]) throws(AuditingError) {
        for (name, scores) in [("included", included), ("excluded", excluded)] {
            if scores.isEmpty { throw .noScores(name: name) }
            if let index = scores.firstIndex(where: \.isNaN) { throw .notANumber(name: name, index: index) }
        }
        self.init(trusted: included, excluded)
    }

    /// Scores that are known to be numbers, and some of each kind.
    init(trusted included: [Double], _ excluded: [Double]) {
        self.included = included.sorted()
        self.excluded = excluded.sorted()
    }

    /// How many canaries there are.
    public var count: Int { included.count + excluded.count }

    /// What an attack gets right that takes canaries with a score above `threshold` for included. O(log count).
    func guesses(above threshold: Double) -> Guesses {
        Guesses(
            includedCount: included.count, excludedCount: excluded.count,
            truePositives: included.count(above: threshold), falsePositives: excluded.count(above: threshold))
    }

    /// All distinct scores, ascending.
    var distinct: [Double] {
        var result: [Double] = []
        for score in (included + excluded).sorted() where score != result.last { result.append(score) }
        return result
    }
}

extension [Double] {
    /// How many elements of an ascending array are above `threshold`.
    fileprivate func count(above threshold: Double) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] > threshold { high = middle } else { low = middle + 1 }
        }
        return count - low
    }
}
