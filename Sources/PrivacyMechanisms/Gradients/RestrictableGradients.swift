import LinearAlgebra
import PyTrees

/// Per-example gradients that can leave leaves out: those of parameters that stay as they are.
public protocol RestrictableGradients: PerExampleGradients {
    /// The gradients of the leaves that `mask` selects, in ``/PyTrees/TreeMask/selectedLayout``; the others do not take
    /// part in norms or sums.
    ///
    /// The gradients may lie in `memory`: they are valid until it is used again. Traps unless the mask is for the
    /// gradients' layout.
    ///
    /// **Guarantee:** an example's norm and contribution are those of its selected leaves alone, in the bounds of
    /// ``PerExampleGradients``.
    func restricted(to mask: TreeMask, memory: inout Matrix) -> Self
}
