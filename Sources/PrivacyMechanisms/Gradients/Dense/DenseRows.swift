import LinearAlgebra
import PyTrees
import Requirements

/// Per-example gradients as rows in memory: an examples × parameters matrix.
///
/// Over an owned `Matrix`, which is shared and not copied, or over memory that the caller holds.
public struct DenseRows: PerExampleGradients {
    /// The layout of each row.
    public let layout: TreeLayout
    /// The number of rows.
    public let exampleCount: Int
    /// One loss per row, where they were given. Not private.
    public let nonPrivateLosses: [Float]?

    let base: UnsafePointer<Float>
    /// From one row to the next, in elements.
    let stride: Int
    /// Keeps the rows' memory alive; nil where the caller does.
    private let owner: Matrix?

    /// The rows of `matrix`, without copying them.
    ///
    /// Throws `rowLengthMismatch` if a row has not as many elements as the layout has parameters, and
    /// `lossCountMismatch` if there are losses, but not one per example.
    public init(
        _ matrix: Matrix, layout: TreeLayout, nonPrivateLosses: [Float]? = nil
    ) throws(PrivacyMechanismError) {
        guard matrix.columns == layout.count else {
            throw .rowLengthMismatch(columns: matrix.columns, layoutCount: layout.count)
        }
        // The storage never moves while `owner` holds it: a writer elsewhere copies it first.
        let base = matrix.withUnsafeElements { $0.baseAddress! }
        try self.init(
            base: base, exampleCount: matrix.rows, stride: matrix.columns, layout: layout, losses: nonPrivateLosses,
            owner: matrix)
    }

    /// Rows that the caller holds in memory, each `stride` elements after the one before, without copying them.
    ///
    /// The memory must stay as it is until the aggregate that the rows are added to has returned from `add`. Throws
    /// `rowLengthMismatch` if the stride is shorter than a row, and `lossCountMismatch` as above. Traps if
    /// `exampleCount` is negative.
    public init(
        unsafeRows base: UnsafePointer<Float>, exampleCount: Int, stride: Int? = nil, layout: TreeLayout,
        nonPrivateLosses: [Float]? = nil
    ) throws(PrivacyMechanismError) {
        require(exampleCount >= 0, "A batch cannot have \(exampleCount) examples.")
        let stride = stride ?? layout.count
        guard stride >= layout.count else { throw .rowLengthMismatch(columns: stride, layoutCount: layout.count) }
        try self.init(
            base: base, exampleCount: exampleCount, stride: stride, layout: layout, losses: nonPrivateLosses,
            owner: nil)
    }

    /// Calls `body` with rows over `elements`, which lie one after the other, without copying them.
    ///
    /// The rows must not leave `body`: the memory is the caller's. Throws `elementCountMismatch` if `elements` is not
    /// `exampleCount` rows of the layout, or what `body` throws.
    public static func withRows<Result>(
        over elements: Span<Float>, exampleCount: Int, layout: TreeLayout, _ body: (DenseRows) throws -> Result
    ) throws -> Result {
        let (needed, overflow) = exampleCount.multipliedReportingOverflow(by: layout.count)
        guard exampleCount >= 0, !overflow, elements.count == needed else {
            throw PrivacyMechanismError.elementCountMismatch(
                elements: elements.count, exampleCount: exampleCount, columns: layout.count)
        }
        return try elements.withUnsafeBufferPointer { elements in
            try withExtendedLifetime(elements) {
                let empty = UnsafePointer<Float>(bitPattern: MemoryLayout<Float>.alignment)!
                return try body(
                    DenseRows(
                        unsafeRows: elements.baseAddress ?? empty, exampleCount: exampleCount, layout: layout))
            }
        }
    }

    /// A block of gradients in the transformed space, whose memory the pipeline itself holds.
    init(block base: UnsafePointer<Float>, exampleCount: Int, layout: TreeLayout) {
        self.layout = layout
        self.exampleCount = exampleCount
        self.stride = layout.count
        self.base = base
        self.owner = nil
        self.nonPrivateLosses = nil
    }

    private init(
        base: UnsafePointer<Float>, exampleCount: Int, stride: Int, layout: TreeLayout, losses: [Float]?,
        owner: Matrix?
    ) throws(PrivacyMechanismError) {
        if let losses, losses.count != exampleCount {
            throw .lossCountMismatch(losses: losses.count, exampleCount: exampleCount)
        }
        self.layout = layout
        self.exampleCount = exampleCount
        self.stride = stride
        self.base = base
        self.owner = owner
        self.nonPrivateLosses = losses
    }

    func row(_ example: Int) -> UnsafePointer<Float> {
        require(
            example >= 0 && example < exampleCount, "There is no example \(example) in a batch of \(exampleCount).")
        return base + example * stride
    }
}

extension DenseRows {
    /// Question 1, in Float64 passes over the rows.
    public func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        require(
            norms.count == examples.count * groups.count,
            "\(norms.count) norms are not \(examples.count) examples × \(groups.count) groups.")
        preconditionGroups(groups)
        let rows = examples.map(row)
        var column = [Double](repeating: 0, count: rows.count)
        scale.withUnsafeValues(matching: layout) { scale in
            for index in 0..<norms.count { norms[index] = 0 }
            for segment in ColumnSegment.segments(of: groups) {
                Kernels.active.squared_norms(
                    rows, rows.count, segment.columns.lowerBound, segment.columns.count, scale, &column)
                for (index, value) in column.enumerated() { norms[index * groups.count + segment.group] += value }
            }
        }
    }

    /// Question 2, in Float64.
    public func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        require(
            clipFactors.count == examples.count * groups.count,
            "\(clipFactors.count) clip factors are not \(examples.count) examples × \(groups.count) groups.")
        preconditionGroups(groups)
        require(
            sum.count == layout.count, "A sum of \(sum.count) columns does not fit \(layout.count) parameters.")
        for (group, columns) in groups.ranges.enumerated() {
            var rows: [UnsafePointer<Float>] = []
            var weights: [Double] = []
            for (index, example) in examples.enumerated() {
                let weight = clipFactors[index * groups.count + group]
                if weight == 0 { continue }
                rows.append(row(example))
                weights.append(weight)
            }
            Kernels.active.add_weighted_rows(
                rows, weights, rows.count, columns.lowerBound, columns.count, sum.values.base)
        }
    }

    private func preconditionGroups(_ groups: ColumnGroups) {
        require(
            groups.columns == layout.count,
            "Groups of \(groups.columns) columns do not fit rows of \(layout.count) parameters.")
    }

    /// A copy of the row.
    public func copyGradient(of example: Int, into row: inout MutableSpan<Float>) {
        require(
            row.count == layout.count, "A row of \(row.count) elements does not hold \(layout.count) parameters.")
        row.withUnsafeMutableBufferPointer {
            _ = $0.update(fromContentsOf: UnsafeBufferPointer(start: self.row(example), count: layout.count))
        }
    }
}

extension ParameterVector? {
    /// Calls `body` with the elements of a scale in `layout`, or with nil where there is none.
    func withUnsafeValues<Result>(matching layout: TreeLayout, _ body: (UnsafePointer<Float>?) -> Result) -> Result {
        guard let self else { return body(nil) }
        require(
            self.layout == layout,
            "A scale of layout\n\(self.layout)\ndoes not fit gradients of layout\n\(layout)")
        return self.withUnsafeValues { body($0.baseAddress) }
    }
}
