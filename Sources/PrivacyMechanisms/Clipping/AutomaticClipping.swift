import PyTrees

/// Automatic clipping, which normalises every gradient: C/(n + γ), arXiv 2206.07136, section 4.
package struct AutomaticClipping: FixedClipping {
    package static let name = "automatic"
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    /// C, 0 or between 1e-100 and 1e100.
    package let l2ClipNorm: Double
    /// γ, between 1e-100 and 1e100.
    package let stability: Double

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case l2ClipNorm, stability
    }

    package init(l2ClipNorm: Double, stability: Double) {
        self.l2ClipNorm = l2ClipNorm
        self.stability = stability
    }

    package func validate() throws(PrivacyMechanismError) {
        try ClippingCheck.clipNorm(l2ClipNorm, stability: stability, method: "automatic")
    }

    package var l2ClipNorms: PrefixTree<Double> { .value(l2ClipNorm) }

    package func bound(clipNorm: Double) -> Double { clipNorm }

    package func factor(forNorm norm: Double, clipNorm: Double, margin: Double) -> Double {
        clipNorm * margin / (norm + stability)
    }

    package var text: String { "automatic, C = \(l2ClipNorm), γ = \(stability)" }
}

extension ClippingRule {
    /// Normalises every gradient: automatic clipping, arXiv 2206.07136.
    ///
    /// Throws if `l2ClipNorm` is not 0 or between 1e-100 and 1e100, or if `stability` or `normalizeBy` is not in that
    /// range.
    public static func automatic(
        l2ClipNorm: Double, stability: Double = 0.01, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(AutomaticClipping(l2ClipNorm: l2ClipNorm, stability: stability), normalizeBy: normalizeBy)
    }
}

extension PlannedClipping {
    /// Every gradient is normalised to `l2ClipNorm`: automatic clipping, arXiv 2206.07136.
    public static func automatic(l2ClipNorm: Double, stability: Double = 0.01) -> PlannedClipping {
        PlannedClipping(AutomaticClipping(l2ClipNorm: l2ClipNorm, stability: stability))
    }
}
