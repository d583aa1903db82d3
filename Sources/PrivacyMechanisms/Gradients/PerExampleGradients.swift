import PyTrees
import Requirements

/// A batch of per-example gradients, reduced to the two questions that privatizing asks of it.
///
/// Dense rows answer from an examples × parameters matrix; gradients that are known in factored form answer without
/// ever forming it. A conforming type must answer both questions about the same numbers.
///
/// Exact sums rest on nothing that a type outside of this package promises: its gradients are written out with
/// ``copyGradient(of:into:)``, and measured, rounded and added as rows. Those that are not finite are excluded.
///
/// **Guarantee:** the sensitivity of a *floating-point* clipped sum rests on what a conforming type promises of its
/// answers.
///
/// - Question 1 is one-sided: no norm may be below that of the gradient which question 2 adds, but for a relative error
///   of (parameters + 2)·2⁻⁵³ in its square, which clip factors allow for. A norm that is above clips more than it has
///   to: it costs accuracy, and no privacy. Where a gradient has a NaN or an infinity, so must a norm.
/// - Question 2 adds gradients in Float64. A type that rounds more coarsely says by how much: clip factors allow for
///   the rounding of Float64 sums only, and two neighbouring sums may be further apart by twice its bound. Dense rows
///   round in Float64; `FactoredGradients` says what its Float32 products add.
///
/// A type that breaks this breaks the privacy of floating-point sums. In any case, gradient i must depend on example i
/// and the parameters alone.
public protocol PerExampleGradients {
    /// The parameters' layout: every example's gradient has its `count` elements.
    var layout: TreeLayout { get }

    /// The number of examples, padding included.
    var exampleCount: Int { get }

    /// Question 1: n²[i, k] = Σ over columns j of group k of (scale_j · g_ij)², for the examples i in `examples`.
    ///
    /// - `scale`: positive factors in `layout`, or nil for all ones.
    /// - `norms`: `examples.count × groups.count` numbers, an example's groups beside each other. Their contents
    ///   are undefined: every one is to be written. An example with a norm left out is excluded, like one that is not
    ///   finite.
    func squaredNorms(
        of examples: Range<Int>, under scale: ParameterVector?, groups: ColumnGroups,
        into norms: inout MutableSpan<Double>)

    /// Question 2: adds Σ_i κ[i, k] · g_ij to column j of group k, for the examples i in `examples`.
    ///
    /// An example whose clip factors are all zero must be skipped, not multiplied: it may hold NaN or infinity.
    ///
    /// - `clipFactors`: κ, `examples.count × groups.count` numbers, an example's groups beside each other.
    func addWeightedSum(
        of examples: Range<Int>, clipFactors: Span<Double>, groups: ColumnGroups, to sum: inout ClippedSum)

    /// Writes one example's gradient, `layout.count` elements, to `row`.
    ///
    /// The default asks question 2 with a single clip factor of one.
    func copyGradient(of example: Int, into row: inout MutableSpan<Float>)

    /// One loss per example, where known. Not private.
    var nonPrivateLosses: [Float]? { get }
}

extension PerExampleGradients {
    /// One example's gradient, asked for as a weighted sum of that example alone.
    public func copyGradient(of example: Int, into row: inout MutableSpan<Float>) {
        require(
            row.count == layout.count, "A row of \(row.count) elements does not hold \(layout.count) parameters.")
        var sum = ClippedSum(columns: layout.count)
        let one: [Double] = [1]
        addWeightedSum(
            of: example..<example + 1, clipFactors: one.span, groups: ColumnGroups(ranges: [0..<layout.count]),
            to: &sum)
        for column in 0..<row.count { row[column] = Float(sum.values.base[column]) }
    }

    /// No losses.
    public var nonPrivateLosses: [Float]? { nil }
}
