import LinearAlgebra
import PyTrees
import Requirements

/// A projection of the whole gradient to fewer dimensions: T(g) = Qᵀg, T⁻¹(y) = Qy, with orthonormal columns in Q.
///
/// Noise is added to `dimensions` numbers in the place of one for each parameter; what a gradient has outside the span
/// of Q is lost. Q has parameters × dimensions elements, all of which are read for every example.
///
/// **Guarantee:** an example's image is a function of its gradient and of Q, in every bit: every element is a chain of
/// products in a fixed order.
public struct LinearProjection: GeneralTransform {
    /// The layout of the gradients before.
    public let parameterLayout: TreeLayout
    /// One leaf, `projected`, of as many elements as Q has columns.
    public let transformedLayout: TreeLayout
    /// Q, parameters × dimensions.
    public let basis: Matrix

    /// A projection onto the columns of `basis`, which are to be orthonormal. It must not depend on the data.
    ///
    /// Traps unless the basis has a row for each parameter.
    public init(_ layout: TreeLayout, basis: Matrix) {
        require(
            basis.rows == layout.count,
            "A basis of shape \(basis.rows) × \(basis.columns) does not project \(layout.count) parameters.")
        parameterLayout = layout
        self.basis = basis
        do throws(PyTreeError) {
            transformedLayout = try TreeLayout([("projected", [basis.columns])])
        } catch {
            fail(error.description)
        }
    }

    /// A projection onto random directions: the orthonormal factor of a Gaussian matrix. The seed is public.
    ///
    /// Traps unless there are from 1 to as many dimensions as parameters.
    public init(_ layout: TreeLayout, dimensions: Int, seed: UInt64) {
        require(
            (1...max(1, layout.count)).contains(dimensions),
            "\(layout.count) parameters cannot be projected to \(dimensions) dimensions.")
        var noise = GaussianNoise(nonPrivateSeed: seed)
        var random = Matrix(rows: layout.count, columns: dimensions)
        random.withMutableRows(0..<layout.count) { noise.fill(&$0) }
        self.init(layout, basis: random.orthonormalizedColumns())
    }

    /// Qᵀg. Traps if either has another number of elements than its layout.
    ///
    /// - Complexity: O(parameters · dimensions).
    public func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        preconditionMaps(gradient.count, to: transformed.count)
        gradient.withUnsafeBufferPointer { gradient in
            transformed.withUnsafeMutableBufferPointer { transformed in
                basis.withUnsafeElements { basis in
                    guard let gradient = gradient.baseAddress, let basis = basis.baseAddress else { return }
                    RowwiseProduct.multiplyOnThisThread(
                        rows: 1, columns: self.basis.columns, inner: self.basis.rows,
                        StridedMatrix(gradient, stride: self.basis.rows),
                        StridedMatrix(basis, stride: self.basis.columns), into: transformed.baseAddress!)
                }
            }
        }
    }

    /// Qy. Traps if the vector has another layout.
    public func inverse(_ transformed: ParameterVector) -> ParameterVector {
        preconditionTransformedLayout(transformed.layout)
        var result = ParameterVector(zeros: parameterLayout)
        transformed.withUnsafeValues { y in
            result.withUnsafeMutableValues { BLAS.gemv(basis, .none, y, into: $0) }
        }
        return result
    }
}
