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

    /// Copies the gradient. Traps if either has another number of elements than the layout.
    public func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        preconditionMaps(gradient.count, to: transformed.count)
        gradient.withUnsafeBufferPointer { gradient in
            transformed.withUnsafeMutableBufferPointer { _ = $0.update(fromContentsOf: gradient) }
        }
    }

    /// The vector itself. Traps if it has another layout.
    public func inverse(_ transformed: ParameterVector) -> ParameterVector {
        preconditionTransformedLayout(transformed.layout)
        return transformed
    }
}
