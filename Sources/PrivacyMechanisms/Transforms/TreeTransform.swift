import PyTrees
import Requirements

/// A linear map of your own between trees: of the gradient's structure, or of another.
///
///     struct Sums: PyTree { var rows: Tensor … }
///
///     let transform = TreeTransform(from: model, to: Sums(rows: Tensor(zeros: [8]))) { gradient, transformed in
///         transformed.rows = rowSums(gradient.kernel)          // all leaves hold zeros before
///     } inverse: { transformed, gradient in
///         gradient.kernel = spread(transformed.rows)
///     }
///
/// The closure is called for one example at a time, on several threads at once, and what it calls computes on one
/// thread. It must depend on nothing but its arguments, and on no data.
///
/// **Guarantee:** an example's image is a function of its gradient alone: each call gets trees of its own, with all the
/// values that they hold beside their leaves. What a tree refers to is the same for all: do not write to it.
public struct TreeTransform<Parameters: PyTree & Sendable, Transformed: PyTree & Sendable>: GeneralTransform {
    /// The layout of the gradients before.
    public let parameterLayout: TreeLayout
    /// The layout of the gradients after.
    public let transformedLayout: TreeLayout

    private let parameters: Parameters
    private let transformed: Transformed
    private let forward: @Sendable (Parameters, inout Transformed) -> Void
    private let backward: @Sendable (Transformed, inout Parameters) -> Void

    /// A map from gradients like `parameters` to trees like `transformed`; the values of both are not used.
    ///
    /// Traps if two children of a tree share a key, or if a tree shares its leaves with its copies, as a class does.
    public init(
        from parameters: Parameters, to transformed: Transformed,
        forward: @escaping @Sendable (_ gradient: Parameters, _ transformed: inout Transformed) -> Void,
        inverse: @escaping @Sendable (_ transformed: Transformed, _ gradient: inout Parameters) -> Void
    ) {
        parameterLayout = parameters.requiredLayout
        transformedLayout = transformed.requiredLayout
        self.parameters = parameters.zeroed()
        self.transformed = transformed.zeroed()
        self.forward = forward
        backward = inverse
    }

    /// What the closure makes of the gradient. Traps if either has another number of elements than its layout, or if
    /// the closure changes the leaves of the tree.
    public func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        preconditionMaps(gradient.count, to: transformed.count)
        let tree = gradient.withUnsafeBufferPointer { parameters.holding($0, as: parameterLayout) }
        var result = self.transformed
        forward(tree, &result)
        transformed.withUnsafeMutableBufferPointer { result.copyLeaves(to: $0, as: transformedLayout) }
    }

    /// What the other closure makes of the noisy sum. Traps if it has another layout, or if the closure changes the
    /// leaves of the tree.
    public func inverse(_ transformed: ParameterVector) -> ParameterVector {
        preconditionTransformedLayout(transformed.layout)
        var result = parameters
        backward(self.transformed.holding(transformed), &result)
        return result.vector(as: parameterLayout)
    }
}
