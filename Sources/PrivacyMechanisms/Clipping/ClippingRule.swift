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
public struct ClippingRule: Sendable {
    /// The registry: every clipping method there is, those that plans alone can have included.
    package static let methods: [any ClippingMethod.Type] = [
        ThresholdClipping.self,
        AutomaticClipping.self,
        PerSampleAdaptiveClipping.self,
        AdaptiveQuantileClipping.self,
    ]

    /// The formula and its constants.
    package let method: any FixedClipping
    /// The public constant N that the sum is divided by; usually the expected batch size, never the drawn one.
    public let normalizeBy: Double

    /// Throws if a constant of the method is outside its range, or `normalizeBy` outside 1e-100 … 1e100. Traps unless
    /// the method is in the registry.
    package init(_ method: some FixedClipping, normalizeBy: Double) throws(PrivacyMechanismError) {
        guard ClippingCheck.constants.contains(normalizeBy) else { throw .invalidNormalization(normalizeBy) }
        try method.validate()
        Self.requireMethod(method)
        self.method = method
        self.normalizeBy = normalizeBy
    }

    /// Traps unless the method is in the registry.
    static func requireMethod<Method: ClippingMethod>(_: Method) {
        requireRegistered(Method.self, in: methods, "ClippingRule.methods")
    }
}

extension ClippingRule: Hashable {
    /// Whether both have the same method with the same constants, and the same divisor.
    public static func == (first: ClippingRule, second: ClippingRule) -> Bool {
        AnyHashable(first.method) == AnyHashable(second.method) && first.normalizeBy == second.normalizeBy
    }

    /// Hashes method and divisor.
    public func hash(into hasher: inout Hasher) {
        method.hash(into: &hasher)
        hasher.combine(normalizeBy)
    }
}

extension ClippingRule: Codable {
    private enum CodingKeys: CodingKey {
        case normalizeBy
    }

    /// Decodes and checks a rule: an invalid one throws `PrivacyMechanismError`, as making it would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let fixed = Self.methods.compactMap { $0 as? any FixedClipping.Type }
        let method = try decoder.registered(in: fixed, "method") { $0.name }
        try self.init(
            method.init(from: decoder),
            normalizeBy: container.decodeIfPresent(Double.self, forKey: .normalizeBy) ?? 1)
    }

    /// Encodes the method's name, its constants and `normalizeBy`; an infinite clip norm as the string "inf".
    public func encode(to encoder: any Encoder) throws {
        try method.encode(to: encoder)
        try encoder.encodeRegistered(type(of: method).name, "method")
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(normalizeBy, forKey: .normalizeBy)
    }
}
