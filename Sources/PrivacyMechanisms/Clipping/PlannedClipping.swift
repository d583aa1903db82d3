import Requirements

/// How a plan bounds each example's contribution: by a fixed rule, or by a clip norm that follows a quantile.
///
/// The divisor N of ``ClippingRule`` is not here: a plan divides by its expected batch size, and by nothing else.
public struct PlannedClipping: Sendable {
    /// The method and its constants, which are checked when a rule is made of them.
    package let method: any ClippingMethod

    /// Traps unless the method is in the registry.
    package init(_ method: some ClippingMethod) {
        ClippingRule.requireMethod(method)
        self.method = method
    }

    /// The method, if its clip norm adapts.
    package var adaptive: (any AdaptiveClipping)? { method as? any AdaptiveClipping }
}

extension PlannedClipping: Hashable {
    /// Whether both are the same method with the same constants.
    public static func == (first: PlannedClipping, second: PlannedClipping) -> Bool {
        AnyHashable(first.method) == AnyHashable(second.method)
    }

    /// Hashes the method's constants.
    public func hash(into hasher: inout Hasher) { method.hash(into: &hasher) }
}

extension PlannedClipping: Codable {
    private enum CodingKeys: CodingKey {
        case normalizeBy
    }

    /// Reads a clipping rule without its divisor, or `{"method": "adaptive-quantile", …}`.
    ///
    /// Throws ``PrivacyMechanismError/divisorInPlan`` if the file sets `normalizeBy`, `DecodingError` for any other key
    /// that the method does not have, and what the rule throws.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        guard !box.contains(.normalizeBy) else { throw PrivacyMechanismError.divisorInPlan }
        let method = try decoder.registered(in: ClippingRule.methods, "method") { $0.name }
        try decoder.refuseUnknownKeys(except: ["method"] + method.keys)
        self.init(try method.init(from: decoder))
        try self.method.validate()
    }

    /// Writes what ``init(from:)`` reads.
    public func encode(to encoder: any Encoder) throws {
        try method.encode(to: encoder)
        try encoder.encodeRegistered(type(of: method).name, "method")
    }
}
