import LinearAlgebra
import Requirements

/// The gradients of one leaf in whatever form they are known, and the two questions about them.
///
/// **Guarantee:** `squaredNorms` is never below the squared norm of what `addWeightedSum` adds by more than a relative
/// (elements + 2)·2⁻⁵³, and not finite where an activation or output gradient that it takes part in is not.
protocol GradientFactor: Sendable {
    /// Where the leaf's elements lie in the layout.
    var columns: Range<Int> { get }

    /// Writes one squared norm for each example in `examples`, under the leaf's part of a scale.
    func squaredNorms(of examples: Range<Int>, under scale: UnsafePointer<Float>?, into norms: inout [Double])

    /// Adds the weighted examples to the leaf's part of a sum; reads no other example.
    func addWeightedSum(of examples: [WeightedExample], to sum: UnsafeMutablePointer<Double>)

    /// The leaf's gradients on their way to an exact sum. The scale is used as long as the result is.
    func gridLeaf(exampleCount: Int, scale: UnsafePointer<Float>?, grid: SumGrid) -> any GridLeaf

    /// Writes one example's gradient in Float32 to the leaf's part of a row.
    func copyGradient(of example: Int, into row: UnsafeMutablePointer<Float>)
}

/// An example and its clip factor, which is not zero.
struct WeightedExample {
    let example: Int
    let clipFactor: Double
    /// On the grid: whether products with the clip factor stay in Float32's range.
    var isNarrow = true
}

extension ColumnGroups {
    /// The group that a leaf's columns lie in. Traps if none has all of them: groups are whole leaves.
    func group(of columns: Range<Int>) -> Int {
        let group = ranges.firstIndex { $0.lowerBound <= columns.lowerBound && columns.upperBound <= $0.upperBound }
        guard let group else { fail("No group has all of the columns \(columns).") }
        return group
    }
}

/// γ_n = n·2⁻²⁴/(1 − n·2⁻²⁴), what n Float32 roundings in a row can amount to; infinite where they bound nothing.
///
/// Source: Higham, Accuracy and Stability of Numerical Algorithms, lemma 3.1.
func accumulatedRoundingError(_ roundings: Int) -> Double {
    let error = Double(roundings) * 0x1p-24
    return error < 0.5 ? error / (1 - error) : .infinity
}
