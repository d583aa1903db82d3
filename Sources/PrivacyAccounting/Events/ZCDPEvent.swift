/// (ξ, ρ)-zero-concentrated differential privacy: D_α ≤ ξ + ρα for all α > 1 (arXiv 1605.02065).
///
/// Analysed by Rényi divergences under every relation.
public struct ZCDPEvent: EventAnalysis {
    /// ρ, finite and at least 0.
    public let rho: Double
    /// ξ, finite and at least 0.
    public let xi: Double

    static let kind = PrivacyEvent.Kind.zCDP
    var asPrivacyEvent: PrivacyEvent { .zCDP(self) }
    var name: String { "zCDP(rho: \(rho), xi: \(xi))" }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless both are in [0, ∞).
    public init(rho: Double, xi: Double = 0) throws(AccountingError) {
        self.rho = try Check.finiteNonNegative(rho, "rho")
        self.xi = try Check.finiteNonNegative(xi, "xi")
    }

    /// Reads the numbers and checks them.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(rho: box.decode(Double.self, forKey: .rho), xi: box.decode(Double.self, forKey: .xi))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        if rho > 0 || xi > 0 { try phases.addMechanism(asPrivacyEvent, count: count) }
    }

    func renyiDivergence(under relation: NeighboringRelation) -> (Double) -> Double {
        let (rho, xi) = (rho, xi)
        // Replacing is removing, then adding: group privacy for two, (ξ·k·H_k, ρk²) at k = 2
        // (arXiv 1605.02065, group privacy).
        return relation == .replaceOne ? { 3 * xi + 4 * rho * $0 } : { xi + rho * $0 }
    }
}

extension PrivacyEvent {
    /// (ξ, ρ)-zCDP.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless both are in [0, ∞).
    public static func zCDP(rho: Double, xi: Double = 0) throws(AccountingError) -> PrivacyEvent {
        .zCDP(try ZCDPEvent(rho: rho, xi: xi))
    }
}
