import PrivacyMechanisms
import PyTrees

/// Rows that answer the first question wrongly: by the norms of some columns alone, or under the inverse of the scale.
struct MismeasuredRows: PerExampleGradients {
    let rows: DenseRows
    /// The columns that norms leave out.
    var unmeasured = 0..<0
    var invertsScale = false

    var layout: TreeLayout { rows.layout }
    var exampleCount: Int { rows.exampleCount }

    func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>
    ) {
        var row = ParameterVector(zeros: layout)
        for example in examples {
            row.withMutableSpan { rows.copyGradient(of: example, into: &$0) }
            for (group, columns) in groups.ranges.enumerated() {
                norms[(example - examples.lowerBound) * groups.count + group] = columns.reduce(0) { sum, column in
                    if unmeasured.contains(column) { return sum }
                    let factor = Double(scale?.values[column] ?? 1)
                    let value = Double(row.values[column]) * (invertsScale ? 1 / factor : factor)
                    return sum + value * value
                }
            }
        }
    }

    func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum
    ) {
        rows.addWeightedSum(of: examples, clipFactors: clipFactors, groups: groups, to: &sum)
    }
}
