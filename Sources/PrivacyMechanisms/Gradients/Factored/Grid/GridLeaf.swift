import LinearAlgebra

/// The gradients of one leaf on their way to an exact sum.
///
/// Norms are estimated first. With the factors that follow from them, a leaf chooses how finely it takes each example.
/// Then each example is placed on the grid under a factor that is tried; what was placed last is what is added.
///
/// **Guarantee:** of every conformer: what an example adds is a function of that example and public numbers, in every
/// bit, and its norm, in grid units, is at most what ``place(_:factor:)`` returned last.
protocol GridLeaf {
    /// Where the leaf's elements lie in the layout.
    var columns: Range<Int> { get }

    /// About the squared norm of an example's gradient under the scale.
    func estimatedSquaredNorm(of example: Int) -> Double

    /// Chooses how to take each example, if it is placed under about the given factor. Called once, before what
    /// follows.
    func prepare(expectedFactors: [Double])

    /// The squared norm of an example's gradient under the scale; not finite where the example is to be excluded.
    func squaredNorm(of example: Int) -> Double

    /// Places an example under `factor`, in grid units, and returns an upper bound of the norm of its integers; nil if
    /// the leaf now measures the example in another way, so that the factor has to be found again.
    func place(_ example: Int, factor: Double) -> Double?

    /// From here on, measures and adds the example in the finest way that the leaf has; false if it does so already.
    func refine(_ example: Int) -> Bool

    /// The columns in which an example is added to a finer sum, which is rounded once: the number of them, or zero.
    func fineColumns(of example: Int) -> Int

    /// Adds the rows of the examples in `range`, under the factors under which they were placed; none for zero.
    func addRows(of range: Range<Int>, factors: [Double], to sum: GridSum, on grid: SumGrid)

    /// Adds the examples that are added up in products, all at once.
    func addProducts(factors: [Double], to sum: GridSum, on grid: SumGrid)
}

/// A factor whose gradients are rounded element by element, as they are.
protocol RowwiseGridFactor: GradientFactor {
    /// How many elements of an example's gradient can be other than zero.
    var mostNonzeroElements: Int { get }

    /// Adds the nearest integers to clipFactor · scale · gradient, for each example, to the leaf's part of a sum.
    func addGridSum(
        of examples: [WeightedExample], under scale: UnsafePointer<Float>?, to sum: UnsafeMutablePointer<Int32>)
}

extension RowwiseGridFactor {
    func gridLeaf(exampleCount: Int, scale: UnsafePointer<Float>?, grid: SumGrid) -> any GridLeaf {
        var norms = [Double](repeating: 0, count: exampleCount)
        squaredNorms(of: 0..<exampleCount, under: scale, into: &norms)
        return RowwiseGridLeaf(factor: self, scale: scale, squaredNorms: norms)
    }
}

/// A leaf of a ``RowwiseGridFactor``.
private struct RowwiseGridLeaf<Factor: RowwiseGridFactor>: GridLeaf {
    let factor: Factor
    let scale: UnsafePointer<Float>?
    let squaredNorms: [Double]

    var columns: Range<Int> { factor.columns }

    func estimatedSquaredNorm(of example: Int) -> Double { squaredNorms[example] }

    func prepare(expectedFactors: [Double]) {}

    func squaredNorm(of example: Int) -> Double { squaredNorms[example] }

    func place(_ example: Int, factor clipFactor: Double) -> Double? {
        let norm = clipFactor * squaredNorms[example].squareRoot()
        return norm == 0 ? 0 : GridLeafBound.ofRow(norm: norm, elements: factor.mostNonzeroElements)
    }

    func refine(_ example: Int) -> Bool { false }

    func fineColumns(of example: Int) -> Int { 0 }

    func addRows(of range: Range<Int>, factors: [Double], to sum: GridSum, on grid: SumGrid) {
        let weighted: [WeightedExample] = range.compactMap { example in
            let (clipFactor, norm) = (factors[example], squaredNorms[example].squareRoot())
            return clipFactor == 0 || norm == 0
                ? nil
                : WeightedExample(
                    example: example, clipFactor: clipFactor, isNarrow: fitsFloat32(factor: clipFactor, norm: norm))
        }
        if weighted.isEmpty { return }
        sum.makeRoom(for: range.count, in: columns, on: grid)
        factor.addGridSum(of: weighted, under: scale, to: sum.recent.base + columns.lowerBound)
    }

    func addProducts(factors: [Double], to sum: GridSum, on grid: SumGrid) {}
}

enum GridLeafBound {
    /// The norm of integers that are the nearest to a vector of `norm`, in grid units, with at most so many elements
    /// that are not zero: ‖q‖ ≤ n·(1 + 2⁻²¹) + √elements/2, for products in Float32.
    static func ofRow(norm: Double, elements: Int) -> Double {
        norm * (1 + 0x1p-21) + GridRounding.ofExample(columns: elements)
    }
}
