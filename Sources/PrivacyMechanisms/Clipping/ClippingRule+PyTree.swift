import PrivacyAccounting
import PyTrees

extension ClippingRule {
    /// Bounds the norm of each subtree of gradients like `parameters` on its own. Checks that the clip norms fit the
    /// tree.
    ///
    ///     let rule = try ClippingRule.perSubtree(l2ClipNorms: ["kernel": 2, "bias": 0.5], of: model)
    ///
    /// Throws as ``perSubtree(l2ClipNorms:rescaleToUnitNorm:normalizeBy:)``, and `clipNormsDoNotFitLayout`, which names
    /// the path, unless the norms are a structural prefix of the tree.
    public static func perSubtree(
        l2ClipNorms: PrefixTree<Double>, of parameters: some PyTree, rescaleToUnitNorm: Bool = false,
        normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        let rule = try perSubtree(
            l2ClipNorms: l2ClipNorms, rescaleToUnitNorm: rescaleToUnitNorm, normalizeBy: normalizeBy)
        _ = try rule.sensitivity(for: .addOrRemoveOne, of: parameters)
        return rule
    }

    /// Bounds one gradient that is a tree, in place; see ``clip(_:)`` for a vector.
    ///
    /// Throws `clipNormsDoNotFitLayout` if the clip norms are not a structural prefix of the tree.
    public func clip(_ gradient: inout some PyTree) throws(PrivacyMechanismError) {
        var vector = gradient.vector()
        try clip(&vector)
        gradient.overwriteLeaves(with: vector)
    }

    /// A clipped copy of a gradient that is a tree.
    public func clipped<Tree: PyTree>(_ gradient: Tree) throws(PrivacyMechanismError) -> Tree {
        var result = gradient
        try clip(&result)
        return result
    }

    /// The L2 sensitivity of a clipped, normalised sum over gradients like `parameters`.
    ///
    /// Throws `clipNormsDoNotFitLayout` if the clip norms are not a structural prefix of the tree.
    public func sensitivity(
        for relation: NeighboringRelation, of parameters: some PyTree
    ) throws(PrivacyMechanismError) -> Double {
        try sensitivity(for: relation, layout: parameters.requiredLayout)
    }
}
