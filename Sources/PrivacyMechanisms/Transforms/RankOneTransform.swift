import CPrivacyKernels
import LinearAlgebra
import PyTrees
import Requirements

/// The transform that multiplies every gradient by a positive scale which is of rank one in each matrix.
///
///     T(G)_jk = ρ_j γ_k G_jk for a matrix,  T(g) = s ∘ g for any other leaf
///
/// Factored gradients stay factored, T(Σ_t a_t e_tᵀ) = Σ_t (ρ ∘ a_t)(γ ∘ e_t)ᵀ, so that norms and sums cost what they
/// cost without a scale: no third matrix product, at any sequence length. Where a gradient is known element by element,
/// or formed so on its way to an exact sum, it is multiplied by ρ_j γ_k, rounded to Float32 first; the inverse divides
/// by the same numbers.
///
/// **Guarantee:**
///
/// - What is measured, clipped and added is the image itself, as it was rounded: norms and sums of scaled factors are
///   those of ``FactoredGradients``, of other gradients those of ``DenseRows``, without a scale.
/// - For an exact sum no image is written to memory: the factors of a dense layer are scaled as they are rounded to
///   whole numbers, which are measured and added themselves, all else where it is used. An element that is scaled as it
///   is rounded to the grid is measured with the same ρ_j γ_k.
/// - An example's image is a function of its gradient and of the scale, in every bit: it is made element by element.
public struct RankOneTransform: GeneralTransform, Hashable {
    /// The layout of the gradients, on both sides.
    public let parameterLayout: TreeLayout

    /// The scale, in ``scaleLayout(of:)``: ρ at `rows` and γ at `columns` below a matrix's path, s at that of any other
    /// leaf.
    public let scale: ParameterVector

    let factors: FactoredLayout

    /// A scale of gradients of `layout`.
    ///
    /// Throws `invalidScale` if an element of `scale`, or a product ρ_j γ_k, is not a positive, finite number. Traps
    /// unless the scale has the layout that ``scaleLayout(of:)`` gives. O(elements of the scale).
    public init(_ layout: TreeLayout, scale: ParameterVector) throws(PrivacyMechanismError) {
        try scale.requirePositiveAndFinite()
        self.init(layout, checkedScale: scale)
        for (leaf, place) in zip(layout.leaves, factors.leaves) {
            guard let axes = place.axes else { continue }
            let rows = scale.values[place.moments..<place.moments + axes.rowCount]
            let columns = scale.values[place.columnMoments..<place.columnMoments + axes.columnCount]
            for (row, column) in [(rows.max()!, columns.max()!), (rows.min()!, columns.min()!)] {
                guard row * column > 0, row * column < .infinity else {
                    let (j, k) = (rows.firstIndex(of: row)!, columns.firstIndex(of: column)!)
                    throw .invalidScale(
                        row * column, path: leaf.path,
                        index: (j - rows.startIndex) * axes.columns + k - columns.startIndex)
                }
            }
        }
    }

    /// A scale whose maker has checked it, and that its products are positive and finite, while writing it.
    package init(_ layout: TreeLayout, checkedScale scale: ParameterVector) {
        factors = Self.factors(of: layout)
        require(
            scale.layout == factors.layout,
            "A scale of layout\n\(scale.layout)\nis not of rank one for gradients of layout\n\(layout)")
        parameterLayout = layout
        self.scale = scale
    }

    /// The layout of the scale of gradients of `layout`: for a matrix of m × n elements, m and n at `rows` and
    /// `columns` below its path; any other leaf as it is.
    public static func scaleLayout(of layout: TreeLayout) -> TreeLayout { factors(of: layout).layout }

    /// Where the scale of each leaf lies.
    package static func factors(of layout: TreeLayout) -> FactoredLayout {
        FactoredLayout(of: layout) { $0.count == 2 ? FactoredAxes(shape: $0, minimumSide: 1) : nil }
    }

    /// The same as `parameterLayout`.
    public var transformedLayout: TreeLayout { parameterLayout }
    /// `.rankOne`, with the transform itself.
    public var form: TransformForm { .rankOne(self) }

    /// Multiplies one gradient by the scale. Traps if either has another number of elements than the layout.
    public func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        preconditionMaps(gradient.count, to: transformed.count)
        gradient.withUnsafeBufferPointer { gradient in
            transformed.withUnsafeMutableBufferPointer { transformed in
                guard let gradient = gradient.baseAddress, let transformed = transformed.baseAddress else { return }
                forEachPiece(of: 0..<parameterLayout.count) { scale, part in
                    Kernels.active.multiplied(
                        gradient + part.lowerBound, scale, part.count, transformed + part.lowerBound)
                }
            }
        }
    }

    /// Divides by the scale. Traps if the vector has another layout.
    public func inverse(_ transformed: ParameterVector) -> ParameterVector {
        preconditionTransformedLayout(transformed.layout)
        var result = transformed
        result.withUnsafeMutableValues { values in
            guard let values = values.baseAddress else { return }
            divide(values, 0..<parameterLayout.count)
        }
        return result
    }

    /// Divides the elements of `range`, which begin at `values`, by the scale.
    package func divide(_ values: UnsafeMutablePointer<Float>, _ range: Range<Int>) {
        let kernels = Kernels.active.optimizers.pointee
        forEachRun(of: range) { begin, count, scale, factor in
            kernels.divide_scaled(factor, scale, count, values + (begin - range.lowerBound))
        }
    }

    /// Calls `body` with the scale of the elements in `range`, written out a piece at a time.
    private func forEachPiece(of range: Range<Int>, _ body: (_ scale: UnsafePointer<Float>, Range<Int>) -> Void) {
        // The scale and what it multiplies stay in the first-level cache.
        let length = 2048
        withUnsafeTemporaryAllocation(byteCount: 4 * min(length, max(1, range.count)), alignment: 64) { scratch in
            let piece = scratch.assumingMemoryBound(to: Float.self).baseAddress!
            for begin in stride(from: range.lowerBound, to: range.upperBound, by: length) {
                let part = begin..<min(begin + length, range.upperBound)
                write(part, to: piece)
                body(piece, part)
            }
        }
    }

    /// Writes the scale of the elements in `range` to `target`.
    func write(_ range: Range<Int>, to target: UnsafeMutablePointer<Float>) {
        let kernels = Kernels.active
        forEachRun(of: range) { begin, count, scale, factor in
            kernels.scaled(scale, Double(factor), count, target + (begin - range.lowerBound))
        }
    }

    /// Calls `body` with the runs of elements in `range` whose scale is `factor` times what lies at `scale`: a row of a
    /// matrix has ρ_j and γ, another leaf 1 and s.
    private func forEachRun(
        of range: Range<Int>,
        _ body: (_ begin: Int, _ count: Int, _ scale: UnsafePointer<Float>, _ factor: Float) -> Void
    ) {
        scale.withUnsafeValues { scale in
            guard let scale = scale.baseAddress else { return }
            factors.forEachPart(of: range) { index, part in
                let leaf = factors.leaves[index]
                guard let axes = leaf.axes else {
                    return body(
                        part.lowerBound, part.count, scale + leaf.moments + part.lowerBound - leaf.range.lowerBound, 1)
                }
                var begin = part.lowerBound
                while begin < part.upperBound {
                    let (row, column) = (begin - leaf.range.lowerBound).quotientAndRemainder(dividingBy: axes.columns)
                    let count = min(axes.columns - column, part.upperBound - begin)
                    body(begin, count, scale + leaf.columnMoments + column, scale[leaf.moments + row])
                    begin += count
                }
            }
        }
    }
}
