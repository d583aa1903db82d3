import PyTrees

/// The transform that multiplies every gradient by a positive scale, element by element.
///
/// The scaled matrix is never formed: norms are taken under the scale, and the sum is scaled once.
public struct DiagonalTransform: PreClippingTransform, Hashable {
    /// The scale s: T(g) = s ∘ g.
    public let scale: ParameterVector

    /// Throws `invalidScale` if an element of `scale` is not a positive, finite number. O(parameters).
    public init(scale: ParameterVector) throws(PrivacyMechanismError) {
        try scale.requirePositiveAndFinite()
        self.scale = scale
    }

    /// A scale whose maker has checked it while writing it.
    package init(checkedScale scale: ParameterVector) {
        self.scale = scale
    }

    /// The scale's layout.
    public var parameterLayout: TreeLayout { scale.layout }
    /// The scale's layout.
    public var transformedLayout: TreeLayout { scale.layout }
    /// `.diagonal`, with the scale.
    public var form: TransformForm { .diagonal(scale) }
}
