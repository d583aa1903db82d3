/// C = 1: independent noise in every step, as in DP-SGD.
public struct IdentityStrategy: ToeplitzNoiseStrategy {
    package static let kind = "identity"

    /// n.
    public let steps: Int

    /// Throws ``PrivacyMechanismError/invalidStrategy(name:value:allowed:)`` unless `steps` is in 1…2²⁴.
    public init(steps: Int) throws(PrivacyMechanismError) { self.steps = try StrategyCheck.steps(steps) }

    /// 1.
    public var bands: Int { 1 }

    package func coefficients(_ count: Int) -> [Double] { (0..<count).map { $0 == 0 ? 1 : 0 } }

    package func magnitudes(_ count: Int) -> [Double] { coefficients(count) }

    package func inverseProduct(_ values: [Double]) -> [Double] { values }
}

extension IdentityStrategy: Codable {
    package static let keys = CodingKeys.allCases.map(\.stringValue)

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case steps
    }

    /// Decodes and checks; throws ``PrivacyMechanismError`` as making one would.
    public init(from decoder: any Decoder) throws {
        try self.init(steps: decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .steps))
    }
}

extension CorrelationStrategy {
    /// `"identity"`.
    public static func identity(_ strategy: IdentityStrategy) -> CorrelationStrategy { CorrelationStrategy(strategy) }
}
