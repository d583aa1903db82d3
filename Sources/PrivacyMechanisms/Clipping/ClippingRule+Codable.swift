import PyTrees

extension ClippingRule: Codable {
    private enum CodingKeys: CodingKey {
        case normalizeBy
    }

    /// Decodes and checks a rule: an invalid one throws `PrivacyMechanismError`, as making it would.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            Method(from: decoder),
            normalizeBy: container.decodeIfPresent(Double.self, forKey: .normalizeBy) ?? 1)
    }

    /// Encodes the method's name, its constants and `normalizeBy`; an infinite clip norm as the string "inf".
    public func encode(to encoder: any Encoder) throws {
        try method.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(normalizeBy, forKey: .normalizeBy)
    }
}

extension ClippingRule.Method: Codable {
    private enum CodingKeys: CodingKey {
        case method, l2ClipNorm, rescaleToUnitNorm, stability
    }

    private enum Name: String, Codable {
        case threshold, automatic
        case perSampleAdaptive = "per-sample-adaptive"
    }

    /// Decodes a method; whether its numbers are in range is checked by the rule that is made of it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Name.self, forKey: .method) {
        case .threshold:
            let norms = try container.decode(PrefixTree<CodableNorm>.self, forKey: .l2ClipNorm)
            let rescale = try container.decodeIfPresent(Bool.self, forKey: .rescaleToUnitNorm) ?? false
            self = .threshold(l2ClipNorms: norms.map { $0.value }, rescaleToUnitNorm: rescale)
        case .automatic:
            self = .automatic(
                l2ClipNorm: try container.decode(Double.self, forKey: .l2ClipNorm),
                stability: try container.decode(Double.self, forKey: .stability))
        case .perSampleAdaptive:
            self = .perSampleAdaptive(
                l2ClipNorm: try container.decode(Double.self, forKey: .l2ClipNorm),
                stability: try container.decode(Double.self, forKey: .stability))
        }
    }

    /// Encodes the method's name and its constants; an infinite clip norm as the string "inf".
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .threshold(let norms, let rescale):
            try container.encode(Name.threshold, forKey: .method)
            try container.encode(norms.map { CodableNorm(value: $0) }, forKey: .l2ClipNorm)
            try container.encode(rescale, forKey: .rescaleToUnitNorm)
        case .automatic(let norm, let stability):
            try container.encode(Name.automatic, forKey: .method)
            try container.encode(norm, forKey: .l2ClipNorm)
            try container.encode(stability, forKey: .stability)
        case .perSampleAdaptive(let norm, let stability):
            try container.encode(Name.perSampleAdaptive, forKey: .method)
            try container.encode(norm, forKey: .l2ClipNorm)
            try container.encode(stability, forKey: .stability)
        }
    }
}

/// A clip norm in a file: JSON has no infinity, so it is spelled as a string.
private struct CodableNorm: Codable, Hashable, Sendable {
    let value: Double

    init(value: Double) { self.value = value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            guard text == "inf" else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "A clip norm is a number or \"inf\", not \"\(text)\".")
            }
            value = .infinity
        } else {
            value = try container.decode(Double.self)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value == .infinity { try container.encode("inf") } else { try container.encode(value) }
    }
}
