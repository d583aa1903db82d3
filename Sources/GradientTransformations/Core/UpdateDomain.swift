import PyTrees

/// The columns of the whole vector that operations see as their flat vector: all, or those of a mask.
struct UpdateDomain {
    struct Segment {
        let columns: Range<Int>
        /// Where the columns begin in the domain's own flat vector.
        let offset: Int
    }

    let layout: TreeLayout
    let isWhole: Bool
    /// Ascending and disjoint.
    private let segments: [Segment]

    init(whole layout: TreeLayout) {
        self.layout = layout
        isWhole = true
        segments = [Segment(columns: 0..<layout.count, offset: 0)]
    }

    private init(layout: TreeLayout, segments: [Segment]) {
        self.layout = layout
        self.segments = segments
        isWhole = false
    }

    /// The columns of the leaves that `mask` selects from this domain; `layout` is theirs.
    func restricted(to mask: TreeMask, layout: TreeLayout) -> UpdateDomain {
        var restricted: [Segment] = []
        var offset = 0
        for selected in mask.selectedColumns {
            for segment in segments {
                let own = segment.offset..<segment.offset + segment.columns.count
                let common = own.clamped(to: selected)
                if common.isEmpty { continue }
                let begin = segment.columns.lowerBound + common.lowerBound - own.lowerBound
                restricted.append(Segment(columns: begin..<begin + common.count, offset: offset))
                offset += common.count
            }
        }
        return UpdateDomain(layout: layout, segments: restricted)
    }

    /// The columns of one part of a domain that is whole.
    func restricted(to part: UpdatePart) -> UpdateDomain {
        UpdateDomain(layout: part.layout, segments: [Segment(columns: part.columns, offset: 0)])
    }

    /// Calls `body` with the parts of `range` that belong to the domain, and where they begin in its flat vector.
    func forEachSegment(in range: Range<Int>, _ body: (_ columns: Range<Int>, _ offset: Int) -> Void) {
        // The first segment that ends after the range begins, by bisection: layouts can have thousands of leaves.
        var (low, high) = (0, segments.count)
        while low < high {
            let middle = (low + high) / 2
            if segments[middle].columns.upperBound <= range.lowerBound { low = middle + 1 } else { high = middle }
        }
        while low < segments.count, segments[low].columns.lowerBound < range.upperBound {
            let segment = segments[low]
            let columns = segment.columns.clamped(to: range)
            if !columns.isEmpty {
                body(columns, segment.offset + columns.lowerBound - segment.columns.lowerBound)
            }
            low += 1
        }
    }

    /// The elements of the domain's leaves.
    func selected(from vector: ParameterVector) -> ParameterVector {
        var result = ParameterVector(zeros: layout)
        result.withUnsafeMutableValues { result in
            vector.withUnsafeValues { values in
                for segment in segments {
                    for (index, column) in segment.columns.enumerated() {
                        result[segment.offset + index] = values[column]
                    }
                }
            }
        }
        return result
    }

    /// Overwrites the elements of the domain's leaves.
    func write(_ selected: ParameterVector, to vector: inout ParameterVector) {
        vector.withUnsafeMutableValues { values in
            selected.withUnsafeValues { selected in
                for segment in segments {
                    for (index, column) in segment.columns.enumerated() {
                        values[column] = selected[segment.offset + index]
                    }
                }
            }
        }
    }

    /// The columns of the whole vector that the leaves of the domain take up, leaf by leaf.
    var leafColumns: [[Range<Int>]] {
        var next = 0
        return layout.leaves.map { leaf in
            var columns: [Range<Int>] = []
            while next < segments.count {
                let own = segments[next].offset..<segments[next].offset + segments[next].columns.count
                let common = own.clamped(to: leaf.range)
                if !common.isEmpty {
                    let begin = segments[next].columns.lowerBound + common.lowerBound - own.lowerBound
                    columns.append(begin..<begin + common.count)
                }
                if own.upperBound > leaf.range.upperBound { break }
                next += 1
            }
            return columns
        }
    }
}
