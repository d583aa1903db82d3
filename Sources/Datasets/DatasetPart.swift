import Requirements

/// A range of the examples of another data set, which keeps its own.
public struct DatasetPart: Dataset {
    /// What this is a part of.
    public let base: any Dataset
    /// The places of its examples in `base`.
    public let places: Range<Int>

    /// The examples of `base` at `places`. Traps unless it has them.
    public init(_ base: any Dataset, _ places: Range<Int>) {
        require(
            places.lowerBound >= 0 && places.upperBound <= base.count,
            "The part \(places) was asked of a data set of \(base.count) examples.")
        self.base = base
        self.places = places
    }

    /// Part `index` of `count` parts that are as equal as can be, one after the other.
    ///
    /// **Guarantee:** which example is in which part depends on its place and the number of examples alone, and each
    /// is in one.
    ///
    /// Traps unless `index` is in 0..<`count`.
    public init(_ base: any Dataset, _ index: Int, of count: Int) {
        require((0..<count).contains(index), "Part \(index) of \(count) was asked for: parts are counted from 0 on.")
        let (quotient, remainder) = base.count.quotientAndRemainder(dividingBy: count)
        func begin(_ index: Int) -> Int { index * quotient + min(index, remainder) }
        self.init(base, begin(index)..<begin(index + 1))
    }

    /// The number of examples.
    public var count: Int { places.count }

    /// The number of features of each example.
    public var featureCount: Int { base.featureCount }

    /// What the base says.
    public var notCovered: [String] { base.notCovered }

    /// The examples at `indices`, which count from the beginning of the part. Throws what reading throws; traps for
    /// an index beyond the part.
    public func examples(at indices: [Int]) throws -> Examples {
        if let other = indices.first(where: { !(0..<count).contains($0) }) {
            fail("Example \(other) was asked of a part that has \(count).")
        }
        return try base.examples(at: indices.map { places.lowerBound + $0 })
    }
}
