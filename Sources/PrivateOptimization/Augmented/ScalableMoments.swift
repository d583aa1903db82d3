import GradientTransformations
import PrivacyMechanisms
import PyTrees
import Requirements

/// A form of second moments that a scale can be made from, and with it the transform that scales.
public protocol ScalableMoments: SecondMomentForm {
    /// The transform that multiplies gradients by the scale.
    associatedtype Transform: PreClippingTransform

    /// The layout of the scale of gradients of `parameters`.
    static func scaleLayout(of parameters: TreeLayout) -> TreeLayout

    /// The transform with `scale`; throws `invalidScale` unless it is positive and finite everywhere.
    ///
    /// - `isChecked`: whether its maker found it to be so.
    static func transform(
        _ scale: ParameterVector, of parameters: TreeLayout, isChecked: Bool
    ) throws(PrivacyMechanismError) -> Transform

    /// Writes the scale of the leaves that `moments` are of, and returns whether all of it is positive and finite.
    ///
    /// Traps unless moments and scale fit `parameters`.
    static func writeScale(
        _ formula: PreconditionerScale, of moments: ParameterVector, for parameters: TreeLayout,
        to scale: inout ParameterVector
    ) -> Bool
}

extension ParameterwiseMoments: ScalableMoments {
    /// The layout of the parameters.
    public static func scaleLayout(of parameters: TreeLayout) -> TreeLayout { parameters }

    /// A diagonal transform.
    public static func transform(
        _ scale: ParameterVector, of parameters: TreeLayout, isChecked: Bool
    ) throws(PrivacyMechanismError) -> DiagonalTransform {
        isChecked ? DiagonalTransform(checkedScale: scale) : try DiagonalTransform(scale: scale)
    }

    /// The formula of each element.
    public static func writeScale(
        _ formula: PreconditionerScale, of moments: ParameterVector, for parameters: TreeLayout,
        to scale: inout ParameterVector
    ) -> Bool {
        let parts = columns(of: moments.layout, in: parameters)
        return scale.withUnsafeMutableValues { scale in
            moments.withUnsafeValues { moments in
                guard let scale = scale.baseAddress, let moments = moments.baseAddress else { return true }
                return parts.reduce(true) { isValid, part in
                    formula.write(
                        moments + part.source.lowerBound, count: part.source.count, into: scale + part.target)
                        && isValid
                }
            }
        }
    }

    /// Where the leaves of a moment lie, and where they begin in the whole vector; adjacent ones merged.
    private static func columns(of part: TreeLayout, in layout: TreeLayout) -> [(source: Range<Int>, target: Int)] {
        if part == layout { return [(0..<layout.count, 0)] }
        var result: [(source: Range<Int>, target: Int)] = []
        for leaf in part.leaves {
            guard let target = layout[leaf.path], target.shape == leaf.shape else { failToFit(leaf, layout) }
            if let last = result.last, last.target + last.source.count == target.range.lowerBound {
                result[result.count - 1].source = last.source.lowerBound..<leaf.range.upperBound
            } else {
                result.append((leaf.range, target.range.lowerBound))
            }
        }
        return result
    }
}

func failToFit(_ leaf: TreeLayout.Leaf, _ layout: TreeLayout) -> Never {
    fail("A second moment for '\(leaf.path)' of shape \(leaf.shape) does not fit parameters of layout\n\(layout)")
}
