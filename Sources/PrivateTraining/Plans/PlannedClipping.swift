import PrivacyMechanisms
import PyTrees

/// How a plan bounds each example's contribution: by a fixed rule, or by a clip norm that follows a quantile.
///
/// The divisor N of ``ClippingRule`` is not here: a plan divides by its expected batch size, and by nothing else.
public enum PlannedClipping: Hashable, Sendable {
    /// The same rule in every step.
    case fixed(ClippingRule.Method)
    /// A clip norm that is learned from noisy counts, which take their share of the budget.
    case adaptiveQuantile(AdaptiveQuantileClipping)

    /// The whole gradient's norm is at most `l2ClipNorm`.
    public static func flat(l2ClipNorm: Double, rescaleToUnitNorm: Bool = false) -> PlannedClipping {
        .fixed(.threshold(l2ClipNorms: .value(l2ClipNorm), rescaleToUnitNorm: rescaleToUnitNorm))
    }

    /// Each subtree's norm is at most its own clip norm.
    public static func perSubtree(
        l2ClipNorms: PrefixTree<Double>, rescaleToUnitNorm: Bool = false
    ) -> PlannedClipping {
        .fixed(.threshold(l2ClipNorms: l2ClipNorms, rescaleToUnitNorm: rescaleToUnitNorm))
    }

    /// The rule of the first step; throws what making a ``ClippingRule`` of these numbers throws.
    func initialRule(normalizeBy: Double) throws(PrivacyMechanismError) -> ClippingRule {
        switch self {
        case .fixed(let method): try ClippingRule(method, normalizeBy: normalizeBy)
        case .adaptiveQuantile(let adaptive):
            try adaptive.rule(l2ClipNorm: adaptive.initialL2ClipNorm, normalizeBy: normalizeBy)
        }
    }
}

extension PlannedClipping: Codable {
    private enum CodingKeys: String, CodingKey {
        case method, normalizeBy
    }

    private enum Method: String, CaseIterable {
        case threshold, automatic
        case perSampleAdaptive = "per-sample-adaptive"
        case adaptiveQuantile = "adaptive-quantile"
    }

    private enum ThresholdKeys: String, CodingKey, CaseIterable {
        case method, l2ClipNorm, rescaleToUnitNorm
    }

    private enum StabilizedKeys: String, CodingKey, CaseIterable {
        case method, l2ClipNorm, stability
    }

    private enum AdaptiveKeys: String, CodingKey, CaseIterable {
        case method, initialL2ClipNorm, quantile, learningRate, countNoiseMultiplier
    }

    /// Reads a clipping rule without its divisor, or `{"method": "adaptive-quantile", …}`.
    ///
    /// Throws ``PlanError/divisorInPlan`` if the file sets `normalizeBy`, `DecodingError` for any other key that the
    /// method does not have, and what the rule throws.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        guard !box.contains(.normalizeBy) else { throw PlanError.divisorInPlan }
        switch try box.decodeChoice(Method.self, forKey: .method) {
        case .adaptiveQuantile:
            try decoder.refuseUnknownKeys(AdaptiveKeys.self)
            self = .adaptiveQuantile(try AdaptiveQuantileClipping(from: decoder))
            return
        case .threshold: try decoder.refuseUnknownKeys(ThresholdKeys.self)
        case .automatic, .perSampleAdaptive: try decoder.refuseUnknownKeys(StabilizedKeys.self)
        }
        // The divisor is the plan's; the other numbers can be checked already.
        self = .fixed(try ClippingRule(ClippingRule.Method(from: decoder), normalizeBy: 1).method)
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .fixed(let method): try method.encode(to: encoder)
        case .adaptiveQuantile(let adaptive):
            try adaptive.encode(to: encoder)
            var box = encoder.container(keyedBy: CodingKeys.self)
            try box.encode(Method.adaptiveQuantile.rawValue, forKey: .method)
        }
    }
}
