/// An exact sum on its way to be released: a noise mechanism finishes each of `columns` once, threads disjoint ones.
struct ExactRelease: @unchecked Sendable {
    // Sendable is unchecked because pointers are used for disjoint columns, while the aggregate holds their memory.

    /// The integers.
    let sum: GridSum
    /// The grid that they are on.
    let grid: SumGrid
    /// What a grid unit is worth in the gradient.
    let unit: Double
    /// The diagonal of the transform, where it has one.
    let scale: UnsafePointer<Float>?
    /// Where the gradient goes.
    let out: UnsafeMutablePointer<Float>
    /// The columns that are to be finished, whole chunks of noise: all, unless there are several ranks.
    let columns: Range<Int>

    /// Adds integer noise, the first number that of the first of `columns`, and writes the gradient there.
    func finish(_ columns: Range<Int>, noise: UnsafePointer<Int32>) {
        sum.finish(columns, noise: noise, scale: scale, spacing: unit, into: out)
    }
}
