import PyTrees

/// The parts of a flat gradient whose norms are bounded separately: consecutive column ranges that cover it.
public struct ColumnGroups: Hashable, Sendable {
    /// The columns of each group, in order; the first begins at 0, each next where the one before ends.
    public let ranges: [Range<Int>]

    /// The number of groups, at least 1.
    public var count: Int { ranges.count }

    /// The number of columns in all groups.
    public var columns: Int { ranges.last?.upperBound ?? 0 }

    init(ranges: [Range<Int>]) {
        self.ranges = ranges
    }
}

/// A run of columns inside one group: the unit in which rows are passed over.
struct ColumnSegment: Equatable, Sendable {
    let group: Int
    let columns: Range<Int>

    /// Cuts every group into runs of a length that depends on the number of columns alone.
    ///
    /// The length must not depend on the number of threads: norms are added up segment by segment, so equal segments
    /// make equal norms. The number of runs is a multiple of 16, so that teams share them evenly. Long runs let the
    /// processor's prefetching settle; a run's part of the sum still fits into the second-level cache.
    static func segments(of groups: ColumnGroups) -> [ColumnSegment] {
        let longest = 32768
        let pieces = max(16, (groups.columns + longest * 16 - 1) / (longest * 16) * 16)
        let length = max(16, ((groups.columns + pieces - 1) / pieces + 15) / 16 * 16)
        return groups.ranges.enumerated().flatMap { group, range in
            stride(from: range.lowerBound, to: range.upperBound, by: length).map {
                ColumnSegment(group: group, columns: $0..<min($0 + length, range.upperBound))
            }
        }
    }
}
