import PyTrees
import Requirements

/// Clipping at a threshold, for the whole gradient or for each subtree by itself: min(1, C/n), rescaled to unit norm
/// min(1, C/n)/C.
package struct ThresholdClipping: FixedClipping {
    package static let name = "threshold"
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    /// One clip norm for each subtree; a bare value bounds the whole gradient. Each is 0, infinite, or between 1e-100
    /// and 1e100.
    package let l2ClipNorms: PrefixTree<Double>
    /// Whether a contribution at the threshold has norm 1 instead of C.
    package let rescaleToUnitNorm: Bool

    package init(l2ClipNorms: PrefixTree<Double>, rescaleToUnitNorm: Bool) {
        self.l2ClipNorms = l2ClipNorms
        self.rescaleToUnitNorm = rescaleToUnitNorm
    }

    package func validate() throws(PrivacyMechanismError) {
        try ClippingCheck.clipNorms(l2ClipNorms, at: .root)
    }

    package func bound(clipNorm: Double) -> Double { rescaleToUnitNorm ? 1 : clipNorm }

    package func factor(forNorm norm: Double, clipNorm: Double, margin: Double) -> Double {
        if rescaleToUnitNorm {
            if clipNorm == .infinity || norm == 0 { return 0 }
            return norm <= clipNorm * margin ? 1 / clipNorm : margin / norm
        }
        if clipNorm == .infinity { return 1 }
        let safe = clipNorm * margin
        return norm <= safe ? (clipNorm == 0 ? 0 : 1) : safe / norm
    }

    package var text: String {
        let bound =
            switch l2ClipNorms {
            case .value(let norm): "L2 norm at most C = \(norm)"
            case .children: "L2 norms by subtree"
            }
        return bound + (rescaleToUnitNorm ? ", rescaled to 1" : "")
    }
}

extension ThresholdClipping: Codable {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case l2ClipNorm, rescaleToUnitNorm
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        l2ClipNorms = try container.decode(PrefixTree<ExtendedNumber>.self, forKey: .l2ClipNorm).map { $0.value }
        rescaleToUnitNorm = try container.decodeIfPresent(Bool.self, forKey: .rescaleToUnitNorm) ?? false
    }

    /// Writes an infinite clip norm as the string "inf".
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(l2ClipNorms.map { ExtendedNumber($0) }, forKey: .l2ClipNorm)
        try container.encode(rescaleToUnitNorm, forKey: .rescaleToUnitNorm)
    }
}

extension ClippingRule {
    /// Bounds the norm of the whole gradient by `l2ClipNorm`.
    ///
    /// Throws if `l2ClipNorm` is not 0, infinite or between 1e-100 and 1e100, or if `normalizeBy` is not in that
    /// range.
    public static func flat(
        l2ClipNorm: Double, rescaleToUnitNorm: Bool = false, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try perSubtree(
            l2ClipNorms: .value(l2ClipNorm), rescaleToUnitNorm: rescaleToUnitNorm, normalizeBy: normalizeBy)
    }

    /// Bounds the norm of each subtree on its own.
    ///
    /// The tree of clip norms is a structural prefix of the gradient's: each of its leaves bounds what lies under it.
    /// Throws as `flat` does, naming the path. Whether the prefix fits is known when a layout is at hand.
    public static func perSubtree(
        l2ClipNorms: PrefixTree<Double>, rescaleToUnitNorm: Bool = false, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(
            ThresholdClipping(l2ClipNorms: l2ClipNorms, rescaleToUnitNorm: rescaleToUnitNorm),
            normalizeBy: normalizeBy)
    }
}

extension PlannedClipping {
    /// The whole gradient's norm is at most `l2ClipNorm`.
    public static func flat(l2ClipNorm: Double, rescaleToUnitNorm: Bool = false) -> PlannedClipping {
        perSubtree(l2ClipNorms: .value(l2ClipNorm), rescaleToUnitNorm: rescaleToUnitNorm)
    }

    /// Each subtree's norm is at most its own clip norm.
    public static func perSubtree(
        l2ClipNorms: PrefixTree<Double>, rescaleToUnitNorm: Bool = false
    ) -> PlannedClipping {
        PlannedClipping(ThresholdClipping(l2ClipNorms: l2ClipNorms, rescaleToUnitNorm: rescaleToUnitNorm))
    }
}
