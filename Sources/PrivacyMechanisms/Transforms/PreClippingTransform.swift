import PyTrees

/// A linear map that is applied to every example's gradient before it is clipped, and undone after the noise.
///
/// Clip norms, sensitivity and noise belong to the transformed space, which may have another layout than the
/// parameters: a projection to fewer dimensions, for example. The transform must not depend on the batch it is applied
/// to; an optimizer makes it from its own state.
///
/// **Guarantee:** for any map that depends on nothing but its own state and the one gradient that it is given, the noisy
/// sum in the transformed space is private, because clipping happens there; inverting it is post-processing.
public protocol PreClippingTransform: Sendable {
    /// The layout of the gradients that the map takes.
    var parameterLayout: TreeLayout { get }

    /// The layout of the gradients that the map gives.
    var transformedLayout: TreeLayout { get }

    /// What kind of map this is. Identity and diagonal maps never form the transformed matrix.
    var form: TransformForm { get }

    /// Maps one example's gradient: from `parameterLayout.count` elements to `transformedLayout.count`, which hold zeros
    /// before.
    ///
    /// Called on several threads at once, an example at a time, so that no example can be mixed with another. What is
    /// called within computes on one thread.
    func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>)

    /// Maps a noisy sum back: from `transformedLayout` to `parameterLayout`.
    func inverse(_ transformed: ParameterVector) -> ParameterVector

    /// Maps factored gradients to factored gradients, where a general map can; nil otherwise, and by default: the
    /// gradients are then multiplied out, block by block.
    ///
    /// Examples must stay in their places, and each must be mapped by itself, in every bit: a matrix product of BLAS over
    /// all of them does not do that. The result is in `transformedLayout`.
    func transformed(_ gradients: FactoredGradients) -> FactoredGradients?
}

extension PreClippingTransform {
    /// Nil: gradients are multiplied out.
    public func transformed(_ gradients: FactoredGradients) -> FactoredGradients? { nil }
}

/// The kinds of pre-clipping transform that the pipeline tells apart.
public enum TransformForm: Sendable {
    /// Every gradient stays as it is.
    case identity
    /// Every gradient is multiplied by the same positive scale, element by element.
    case diagonal(ParameterVector)
    /// Every gradient is mapped by `transform(_:into:)`.
    case general
}

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

/// The transform that multiplies every gradient by a positive scale, element by element.
///
/// The scaled matrix is never formed: norms are taken under the scale, and the sum is scaled once.
public struct DiagonalTransform: PreClippingTransform, Hashable {
    /// The scale s: T(g) = s ∘ g.
    public let scale: ParameterVector

    /// Throws `invalidScale` if an element of `scale` is not a positive, finite number. O(parameters).
    public init(scale: ParameterVector) throws(PrivacyMechanismError) {
        let invalid = scale.withUnsafeValues { Self.firstInvalid($0) }
        if let (index, value) = invalid {
            let leaf = scale.layout.leaves.first { $0.range.contains(index) }!
            throw .invalidScale(value, path: leaf.path, index: index - leaf.range.lowerBound)
        }
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

    /// Multiplies by the scale. Traps if either has another number of elements than the layout.
    public func transform(_ gradient: Span<Float>, into transformed: inout MutableSpan<Float>) {
        preconditionMaps(gradient.count, to: transformed.count)
        scale.withUnsafeValues { scale in
            for column in scale.indices { transformed[column] = scale[column] * gradient[column] }
        }
    }

    /// Divides by the scale. Traps if the vector has another layout.
    public func inverse(_ transformed: ParameterVector) -> ParameterVector {
        preconditionTransformedLayout(transformed.layout)
        var result = transformed
        result.withUnsafeMutableValues { values in
            scale.withUnsafeValues { scale in
                for index in values.indices { values[index] /= scale[index] }
            }
        }
        return result
    }

    /// The first element that is not positive and finite.
    ///
    /// The scan runs each step, so it goes without branches: the bit patterns of positive, finite numbers are those
    /// from 1 to that of the largest, and a difference that leaves this range has its sign bit set.
    private static func firstInvalid(_ values: UnsafeBufferPointer<Float>) -> (index: Int, value: Float)? {
        let largest = Float.greatestFiniteMagnitude.bitPattern
        var outside = SIMD8<UInt32>.zero
        let whole = values.count / 8 * 8
        for index in stride(from: 0, to: whole, by: 8) {
            let bits = UnsafeRawPointer(values.baseAddress! + index).loadUnaligned(as: SIMD8<UInt32>.self)
            outside |= (bits &- SIMD8(repeating: 1)) | (SIMD8(repeating: largest) &- bits)
        }
        let isValid = { (value: Float) in value > 0 && value < .infinity }
        let anyOutside = (0..<8).contains { outside[$0] >> 31 == 1 }
        if !anyOutside, values[whole...].allSatisfy(isValid) { return nil }
        return values.firstIndex { !isValid($0) }.map { ($0, values[$0]) }
    }
}

extension TransformForm {
    /// Only a general map changes the layout.
    func preconditionFits(_ parameterLayout: TreeLayout, _ transformedLayout: TreeLayout) {
        switch self {
        case .general: return
        case .diagonal(let scale):
            precondition(
                scale.layout == parameterLayout,
                "A scale of layout\n\(scale.layout)\ndoes not fit gradients of layout\n\(parameterLayout)")
            fallthrough
        case .identity:
            precondition(
                parameterLayout == transformedLayout,
                "A transform from\n\(parameterLayout)\nto\n\(transformedLayout)\nis neither identity nor diagonal.")
        }
    }
}

extension PreClippingTransform {
    package func preconditionMaps(_ count: Int, to transformedCount: Int) {
        precondition(
            count == parameterLayout.count && transformedCount == transformedLayout.count,
            """
            A gradient of \(parameterLayout.count) elements maps to \(transformedLayout.count), not one of \(count) \
            to \(transformedCount).
            """)
    }

    package func preconditionTransformedLayout(_ layout: TreeLayout) {
        precondition(
            layout == transformedLayout,
            "A gradient of layout\n\(layout)\nis not in the transformed space\n\(transformedLayout)")
    }
}
