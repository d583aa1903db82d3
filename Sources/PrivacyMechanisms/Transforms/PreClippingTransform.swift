import PyTrees
import Requirements

/// A linear map that is applied to every example's gradient before it is clipped, and undone after the noise.
///
/// Clip norms, sensitivity and noise belong to the transformed space, which may have another layout than the
/// parameters: a projection to fewer dimensions, for example. The transform must not depend on the batch it is applied
/// to; an optimizer makes it from its own state. To write one of your own that is neither the identity nor diagonal,
/// conform to ``GeneralTransform``.
///
/// **Guarantee:** for any map that depends on nothing but its own state and the one gradient that it is given, the
/// noisy sum in the transformed space is private, because clipping happens there; inverting it is post-processing.
public protocol PreClippingTransform: Sendable {
    /// The layout of the gradients that the map takes.
    var parameterLayout: TreeLayout { get }

    /// The layout of the gradients that the map gives.
    var transformedLayout: TreeLayout { get }

    /// What map this is. Under identity and diagonal maps the transformed matrix is never formed.
    var form: TransformForm { get }
}

/// A transform that is neither the identity nor diagonal: it maps gradients one by one.
public protocol GeneralTransform: PreClippingTransform {
    /// Maps one example's gradient: from `parameterLayout.count` elements to `transformedLayout.count`, which hold
    /// zeros before.
    ///
    /// Called on several threads at once, an example at a time, so that no example can be mixed with another. What is
    /// called within computes on one thread.
    func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>)

    /// Maps a noisy sum back: from `transformedLayout` to `parameterLayout`.
    func inverse(_ transformed: ParameterVector) -> ParameterVector

    /// Maps factored gradients to factored gradients, where the map can; nil otherwise, and by default: the gradients
    /// are then multiplied out, block by block.
    ///
    /// Examples must stay in their places, and each must be mapped by itself, in every bit: a matrix product of BLAS
    /// over all of them does not do that. The result is in `transformedLayout`.
    func transformed(_ gradients: FactoredGradients) -> FactoredGradients?
}

extension GeneralTransform {
    /// `.general`, with the transform itself.
    public var form: TransformForm { .general(self) }

    /// Nil: gradients are multiplied out.
    public func transformed(_ gradients: FactoredGradients) -> FactoredGradients? { nil }
}

extension GeneralTransform {
    package func preconditionMaps(_ count: Int, to transformedCount: Int) {
        require(
            count == parameterLayout.count && transformedCount == transformedLayout.count,
            """
            A gradient of \(parameterLayout.count) elements maps to \(transformedLayout.count), not one of \(count) \
            to \(transformedCount).
            """)
    }

    package func preconditionTransformedLayout(_ layout: TreeLayout) {
        require(
            layout == transformedLayout,
            "A gradient of layout\n\(layout)\nis not in the transformed space\n\(transformedLayout)")
    }
}
