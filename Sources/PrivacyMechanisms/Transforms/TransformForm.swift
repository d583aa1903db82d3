import PyTrees
import Requirements

/// The kinds of pre-clipping transform that the pipeline tells apart.
public enum TransformForm: Sendable {
    /// Every gradient stays as it is.
    case identity
    /// Every gradient is multiplied by the same positive scale, element by element.
    case diagonal(ParameterVector)
    /// Every gradient is multiplied by the same positive scale, which is of rank one in each matrix.
    case rankOne(RankOneTransform)
    /// Every gradient is mapped by itself.
    case general(any GeneralTransform)
}

extension TransformForm {
    /// What every gradient is multiplied by; nil for the identity, and where it is more than a product.
    var scale: ParameterVector? {
        switch self {
        case .identity, .general: nil
        case .diagonal(let scale): scale
        case .rankOne(let map): map.scale
        }
    }

    /// Only a general map changes the layout.
    func preconditionFits(_ parameterLayout: TreeLayout, _ transformedLayout: TreeLayout) {
        switch self {
        case .general(let map): map.preconditionFits(parameterLayout, transformedLayout)
        case .rankOne(let map): map.preconditionFits(parameterLayout, transformedLayout)
        case .diagonal(let scale):
            require(
                scale.layout == parameterLayout,
                "A scale of layout\n\(scale.layout)\ndoes not fit gradients of layout\n\(parameterLayout)")
            fallthrough
        case .identity:
            require(
                parameterLayout == transformedLayout,
                "A transform from\n\(parameterLayout)\nto\n\(transformedLayout)\nis neither identity nor diagonal.")
        }
    }
}

extension GeneralTransform {
    fileprivate func preconditionFits(_ parameterLayout: TreeLayout, _ transformedLayout: TreeLayout) {
        require(
            self.parameterLayout == parameterLayout && self.transformedLayout == transformedLayout,
            """
            A map from\n\(self.parameterLayout)\nto\n\(self.transformedLayout)\nis not a transform from\n\
            \(parameterLayout)\nto\n\(transformedLayout)
            """)
    }
}
