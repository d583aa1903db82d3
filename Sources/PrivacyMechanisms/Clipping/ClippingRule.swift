import PyTrees

/// How much any one example may contribute: the rule that bounds each per-example gradient before the sum.
///
/// A rule is plain configuration: it can be compared, hashed and coded, and decoding checks it as making it does. With
/// u an example's transformed gradient, n its L2 norm, C the clip norm and N = `normalizeBy`, the example contributes
///
/// | rule | contribution | norm at most |
/// |---|---|---|
/// | flat | u · min(1, C/n) / N | C / N |
/// | flat, rescaled to unit norm | u · min(1, C/n) / (C·N) | 1 / N |
/// | per subtree k | each subtree as flat with its own C_k | √(Σ C_k²) / N |
/// | per subtree, rescaled (K subtrees) | each subtree rescaled | √K / N |
/// | automatic | u · C / (n + γ) / N | C / N |
/// | per-sample adaptive (PSAC) | u · C / (n + r/(n + r)) / N | C / N |
///
/// C = 0 gives zeros (rescaled: u/n), C = ∞ leaves gradients as they are (rescaled: zeros).
public struct ClippingRule: Hashable, Sendable {
    /// The formula that turns a norm into a factor.
    public enum Method: Hashable, Sendable {
        /// One clip norm for each subtree; a bare value bounds the whole gradient.
        case threshold(l2ClipNorms: PrefixTree<Double>, rescaleToUnitNorm: Bool)
        /// C / (n + γ), arXiv 2206.07136, section 4.
        case automatic(l2ClipNorm: Double, stability: Double)
        /// C / (n + r/(n + r)), arXiv 2212.00328, section 3.
        case perSampleAdaptive(l2ClipNorm: Double, stability: Double)
    }

    /// The formula and its constants.
    public let method: Method
    /// The public constant N that the sum is divided by; usually the expected batch size, never the drawn one.
    public let normalizeBy: Double

    /// The rule of `method`.
    ///
    /// Throws as the functions below do, which make the usual methods.
    public init(_ method: Method, normalizeBy: Double) throws(PrivacyMechanismError) {
        guard Self.constants.contains(normalizeBy) else { throw .invalidNormalization(normalizeBy) }
        switch method {
        case .threshold(let norms, _):
            try Self.checkClipNorms(norms, at: .root)
        case .automatic(let norm, let stability), .perSampleAdaptive(let norm, let stability):
            try Self.checkClipNorm(norm, at: .root)
            guard norm < .infinity else { throw .unboundedClipNorm(method: method.name) }
            guard Self.constants.contains(stability) else { throw .invalidStability(stability) }
        }
        self.method = method
        self.normalizeBy = normalizeBy
    }

    /// Bounds the norm of the whole gradient by `l2ClipNorm`.
    ///
    /// Throws if `l2ClipNorm` is not 0, infinite or between 1e-100 and 1e100, or if `normalizeBy` is not in that
    /// range.
    public static func flat(
        l2ClipNorm: Double, rescaleToUnitNorm: Bool = false, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(
            .threshold(l2ClipNorms: .value(l2ClipNorm), rescaleToUnitNorm: rescaleToUnitNorm), normalizeBy: normalizeBy)
    }

    /// Bounds the norm of each subtree on its own.
    ///
    /// The tree of clip norms is a structural prefix of the gradient's: each of its leaves bounds what lies under it.
    /// Throws as `flat` does, naming the path. Whether the prefix fits is known when a layout is at hand.
    public static func perSubtree(
        l2ClipNorms: PrefixTree<Double>, rescaleToUnitNorm: Bool = false, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(
            .threshold(l2ClipNorms: l2ClipNorms, rescaleToUnitNorm: rescaleToUnitNorm), normalizeBy: normalizeBy)
    }

    /// Normalises every gradient: automatic clipping, arXiv 2206.07136.
    ///
    /// Throws if `l2ClipNorm` is not 0 or between 1e-100 and 1e100, or if `stability` or `normalizeBy` is not in that
    /// range.
    public static func automatic(
        l2ClipNorm: Double, stability: Double = 0.01, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(.automatic(l2ClipNorm: l2ClipNorm, stability: stability), normalizeBy: normalizeBy)
    }

    /// Normalises large gradients and weights small ones down: per-sample adaptive clipping (PSAC), arXiv 2212.00328.
    ///
    /// Throws as `automatic` does.
    public static func perSampleAdaptive(
        l2ClipNorm: Double, stability: Double = 0.1, normalizeBy: Double = 1
    ) throws(PrivacyMechanismError) -> ClippingRule {
        try ClippingRule(.perSampleAdaptive(l2ClipNorm: l2ClipNorm, stability: stability), normalizeBy: normalizeBy)
    }

    /// Far more than any gradient needs, and far enough from Float64's ends that no product or quotient of a clip norm,
    /// a Float32 gradient, a Float32 scale and these constants overflows, or loses precision below the normal range.
    private static let constants = 1e-100...1e100

    private static func checkClipNorm(_ norm: Double, at path: TreePath) throws(PrivacyMechanismError) {
        guard norm == 0 || norm == .infinity || constants.contains(norm) else {
            throw .invalidClipNorm(norm, path: path)
        }
    }

    private static func checkClipNorms(
        _ norms: PrefixTree<Double>, at path: TreePath
    ) throws(PrivacyMechanismError) {
        switch norms {
        case .value(let norm): try checkClipNorm(norm, at: path)
        case .children(let children):
            for (key, child) in children.sorted(by: { $0.key < $1.key }) {
                try checkClipNorms(child, at: path.appending(key))
            }
        }
    }
}

extension ClippingRule.Method {
    var name: String {
        switch self {
        case .threshold: "threshold"
        case .automatic: "automatic"
        case .perSampleAdaptive: "per-sample adaptive"
        }
    }
}
