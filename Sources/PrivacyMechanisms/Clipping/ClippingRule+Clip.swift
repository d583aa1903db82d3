import CPrivacyKernels
import LinearAlgebra
import PrivacyAccounting
import PyTrees
import Requirements

extension ClippingRule {
    /// Clips one gradient in place. A gradient that is not finite becomes zero in all its elements.
    ///
    /// `normalizeBy` is not applied: it belongs to a sum.
    ///
    /// **Guarantee:** the true L2 norm of each group of the Float32 result is at most the group's bound. Factors are
    /// computed in Float64 with a margin for the norm's own error, and products are rounded toward zero.
    ///
    /// Throws `clipNormsDoNotFitLayout` if the clip norms are not a structural prefix of the gradient's layout.
    public func clip(_ gradient: inout ParameterVector) throws(PrivacyMechanismError) {
        _ = try clipReturningNonPrivateNorms(&gradient)
    }

    /// Clips one gradient in place, as `clip(_:)`, and returns its norms from before. **They are not private.**
    ///
    /// They come in the structure of the rule's clip norms; those of a gradient that is not finite are infinite or NaN.
    public func clipReturningNonPrivateNorms(
        _ gradient: inout ParameterVector
    ) throws(PrivacyMechanismError) -> PrefixTree<Double> {
        let bounds = try ClippingBounds(self, for: gradient.layout)
        let kernels = Kernels.active
        var norms = [Double](repeating: 0, count: bounds.groups.count)
        gradient.withUnsafeMutableValues { values in
            guard let base = values.baseAddress else { return }
            for (group, columns) in bounds.groups.ranges.enumerated() {
                var row = UnsafePointer(base)
                kernels.squared_norms(&row, 1, columns.lowerBound, columns.count, nil, &norms[group])
                norms[group] = norms[group].squareRoot()
            }
            let isFinite = norms.allSatisfy(\.isFinite)
            for (group, columns) in bounds.groups.ranges.enumerated() {
                let factor = isFinite ? bounds.factor(forNorm: norms[group], group: group) : 0
                if factor == 0 {
                    (base + columns.lowerBound).update(repeating: 0, count: columns.count)
                } else if factor != 1 {
                    kernels.scale_toward_zero(factor, columns.count, base + columns.lowerBound)
                }
            }
        }
        return bounds.structured(norms)
    }

    /// A clipped copy of `gradient`; see `clip(_:)`.
    public func clipped(_ gradient: ParameterVector) throws(PrivacyMechanismError) -> ParameterVector {
        var result = gradient
        try clip(&result)
        return result
    }

    /// The L2 sensitivity of a clipped, normalised sum over gradients of `layout`.
    ///
    /// Throws `clipNormsDoNotFitLayout` if the clip norms are not a structural prefix of `layout`.
    public func sensitivity(
        for relation: NeighboringRelation, layout: TreeLayout
    ) throws(PrivacyMechanismError) -> Double {
        try ClippingBounds(self, for: layout).sensitivity(for: relation)
    }
}

extension ClippingRule {
    /// The L2 sensitivity of a clipped, normalised sum, whatever the layout: it depends on the clip norms alone.
    public func sensitivity(for relation: NeighboringRelation) -> Double {
        var leaves: [(path: TreePath, shape: [Int])] = []
        method.l2ClipNorms.appendPaths(to: &leaves, at: .root)
        if leaves.isEmpty { leaves = [(.root, [])] }
        do {
            return try sensitivity(for: relation, layout: TreeLayout(leaves))
        } catch {
            fail("Clip norms fit a tree of their own shape: \(error)")
        }
    }
}

extension PrefixTree {
    /// One scalar leaf in the place of every value.
    fileprivate func appendPaths(to leaves: inout [(path: TreePath, shape: [Int])], at path: TreePath) {
        switch self {
        case .value: leaves.append((path, []))
        case .children(let children):
            for (key, child) in children.sorted(by: { $0.key < $1.key }) {
                child.appendPaths(to: &leaves, at: path.appending(key))
            }
        }
    }
}
