import CPrivacyKernels
import PyTrees
import Requirements

/// The element-wise formulas for this processor.
package enum Kernels {
    /// Chosen at first use; `DPK_LEVEL` in the environment can ask for a lower instruction set.
    package static let active = dpk_active_kernels().pointee.optimizers.pointee
}

/// A link's moments as its operations see them: pointers that are valid during `body`.
package func withMoments(
    _ first: inout ParameterVector, layout: TreeLayout, _ body: (UnsafeMutablePointer<Float>) -> Void
) {
    require(
        first.layout == layout,
        "A state of layout\n\(first.layout)\ndoes not fit updates of layout\n\(layout)")
    first.withUnsafeMutableValues { body($0.baseAddress ?? BlockRun.nothing) }
}

package func withMoments(
    _ first: inout ParameterVector, _ second: inout ParameterVector, layout: TreeLayout,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
) {
    withMoments(&first, layout: layout) { first in
        withMoments(&second, layout: layout) { second in body(first, second) }
    }
}

package func withMoments(
    _ first: inout ParameterVector, _ second: inout ParameterVector, _ third: inout ParameterVector,
    layout: TreeLayout,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void
) {
    withMoments(&first, &second, layout: layout) { first, second in
        withMoments(&third, layout: layout) { third in body(first, second, third) }
    }
}
