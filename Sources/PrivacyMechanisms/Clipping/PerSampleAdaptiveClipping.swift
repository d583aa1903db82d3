import PyTrees

/// Per-sample adaptive clipping (PSAC), which normalises large gradients and weights small ones down:
/// C/(n + r/(n + r)), arXiv 2212.00328, section 3.
package struct PerSampleAdaptiveClipping: FixedClipping {
    package static let name = "per-sample-adaptive"
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    /// C, 0 or between 1e-100 and 1e100.
    package let l2ClipNorm: Double
    /// r, between 1e-100 and 1e100.
    package let stability: Double

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case l2ClipNorm, stability
    }

    package init(l2ClipNorm: Double, stability: Double) {
        self.l2ClipNorm = l2ClipNorm
        self.stability = stability
    }

    package func validate() throws(PrivacyMechanismError) {
        try ClippingCheck.clipNorm(l2ClipNorm, stability: stability, method: "per-sample adaptive")
    }

    package var l2ClipNorms: PrefixTree<Double> { .value(l2ClipNorm) }

    package func bound(clipNorm: Double) -> Double { clipNorm }

    package func factor(forNorm norm: Double, clipNorm: Double, margin: Double) -> Double {
        clipNorm * margin / (norm + stability / (norm + stability))
    }

    package var text: String { "per-sample adaptive, C = \(l2ClipNorm), r = \(stability)" }
}

extension ClippingRule {
    /// Normalises large gradients and weights small ones down: per-sample adaptive clipping (PSAC), arXiv 2212.00328.
    ///
    /// Throws as `automatic` does.
    public static func perSampleAdaptive(
        l2ClipNorm: Double, stability: Double = 0.1, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(
            PerSampleAdaptiveClipping(l2ClipNorm: l2ClipNorm, stability: stability), normalizeBy: normalizeBy)
    }
}

extension PlannedClipping {
    /// Large gradients are normalised, small ones weighted down: per-sample adaptive clipping, arXiv 2212.00328.
    public static func perSampleAdaptive(l2ClipNorm: Double, stability: Double = 0.1) -> PlannedClipping {
        PlannedClipping(PerSampleAdaptiveClipping(l2ClipNorm: l2ClipNorm, stability: stability))
    }
}
