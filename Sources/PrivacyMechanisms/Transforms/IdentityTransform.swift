import PyTrees

/// The transform that leaves every gradient as it is.
public struct IdentityTransform: PreClippingTransform, Hashable, Codable {
    /// The layout of the gradients, on both sides.
    public let parameterLayout: TreeLayout

    /// The identity on gradients of `layout`.
    public init(layout: TreeLayout) {
        parameterLayout = layout
    }

    /// The same as `parameterLayout`.
    public var transformedLayout: TreeLayout { parameterLayout }
    /// `.identity`.
    public var form: TransformForm { .identity }
}
