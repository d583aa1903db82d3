import GradientTransformations
import LinearAlgebra
import PyTrees
import Requirements

/// Newton's method for linear models under a released bound on the curvature.
///
///     u = (H̃₊ + λI)⁻¹ · ĝ
///
/// ĝ is the gradient of kernel [features, K] and bias [K] as one matrix of d rows, and H̃₊ the curvature H̃ with
/// negative eigenvalues set to zero. With λ = ``PrivateCurvature/spectralNoiseBound``, H̃₊ + λI bounds the curvature
/// that was clipped and summed (but for that bound's probability), so that a step of learning rate 1 without noise in ĝ
/// never raises the loss: it minimises a quadratic function that lies above it. The number of steps does not depend on
/// how unequal the directions are whose curvature is above λ; that of gradient descent does.
///
/// It takes private gradients and a private curvature: post-processing. Sources: arXiv 2305.13209, for second-order
/// information in private optimization; Böhning and Lindsay, Ann. Inst. Stat. Math. 40, 1988, for the bound.
///
///     let optimizer = try chain { try ScaleByCurvature(curvature); try sgd(learningRate: 1) }
public struct ScaleByCurvature: GradientTransformation {
    /// `scale_by_curvature`.
    public static var identifier: String { "scale_by_curvature" }

    /// (H̃₊ + λI)⁻¹.
    public let inverse: Matrix

    /// Makes the inverse from an eigendecomposition. O(d³).
    ///
    /// Throws `invalidHyperparameter` unless λ is above 0 and finite: without noise there is no bound to take it from.
    ///
    /// - `damping`: λ; nil for the curvature's bound on its noise.
    public init(_ curvature: PrivateCurvature, damping: Double? = nil) throws(GradientTransformationError) {
        let damping = try Hyperparameter<Positive>(damping ?? curvature.spectralNoiseBound, "damping").wrappedValue
        guard let decomposition = curvature.matrix.symmetricEigendecomposition() else {
            fail("A curvature of finite elements has an eigendecomposition.")
        }
        let vectors = decomposition.eigenvectors
        var scaled = vectors
        for row in 0..<vectors.rows {
            scaled.withMutableRow(row) { row in
                for (column, value) in decomposition.eigenvalues.enumerated() {
                    row[column] = Float(Double(row[column]) / (Double(max(value, 0)) + damping))
                }
            }
        }
        var inverse = Matrix(rows: vectors.rows, columns: vectors.rows)
        BLAS.gemm(scaled, .none, vectors, .transposed, into: &inverse)
        self.inverse = inverse
    }

    /// Nothing to remember.
    ///
    /// Throws `layoutMismatch` unless the leaves are a kernel [features, K] and, with a bias, its [K] behind it.
    public func initialState(for parameters: ParameterVector) throws(GradientTransformationError) -> EmptyState {
        if fits(parameters.layout) { return EmptyState() }
        let outputs = parameters.layout.leaves.first?.shape.last ?? 1
        let layout: TreeLayout
        do throws(PyTreeError) {
            layout = try TreeLayout([("kernel", [inverse.rows - 1, outputs]), ("bias", [outputs])])
        } catch {
            fail(error.description)
        }
        throw .layoutMismatch(of: "curvature", found: layout, expected: parameters.layout)
    }

    private func fits(_ layout: TreeLayout) -> Bool {
        let shapes = layout.leaves.map(\.shape)
        guard let kernel = shapes.first, kernel.count == 2 else { return false }
        return switch shapes.count {
        case 1: kernel[0] == inverse.rows
        case 2: kernel[0] == inverse.rows - 1 && shapes[1] == [kernel[1]]
        default: false
        }
    }

    /// Solves in place. Traps unless the layout is one that ``initialState(for:)`` takes.
    /// - Complexity: O(d²·K).
    public func update(_ updates: inout ParameterVector, state: inout EmptyState, parameters: ParameterVector) {
        require(
            fits(updates.layout),
            "Updates of layout\n\(updates.layout)\ndo not fit a curvature of \(inverse.rows) rows.")
        // Kernel and bias follow each other: together they are the rows of ĝ.
        let outputs = updates.count / inverse.rows
        let gradient = Matrix(rows: inverse.rows, columns: outputs, elements: updates.values)
        var result = Matrix(rows: inverse.rows, columns: outputs)
        BLAS.gemm(inverse, .none, gradient, .none, into: &result)
        updates.withUnsafeMutableValues { target in
            result.withUnsafeElements { _ = target.update(fromContentsOf: $0) }
        }
    }
}
