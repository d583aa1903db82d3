import Requirements

/// Which rows of a batch are one unit's: the first few are the first unit's, those after them the second's, and so on.
public struct UnitRows: Hashable, Sendable {
    /// Where each unit's rows end.
    private let ends: [Int]

    /// Units with `counts` rows each. Traps for a unit without rows.
    public init(counts: [Int]) {
        var end = 0
        ends = counts.map { count in
            require(count >= 1, "A unit of \(count) rows was given, but each has at least 1: leave it out.")
            end += count
            return end
        }
    }

    /// The number of units.
    public var unitCount: Int { ends.count }

    /// The number of rows of all units.
    public var rowCount: Int { ends.last ?? 0 }

    /// The rows of a unit.
    public subscript(unit: Int) -> Range<Int> { (unit == 0 ? 0 : ends[unit - 1])..<ends[unit] }
}
