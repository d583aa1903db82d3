/// Gaussian noise of standard deviation z·C on a query of L2 sensitivity C. z = 0 is not private.
///
/// Analysed by both accountants under every relation. All Gaussian queries of a composition are one, in closed form:
/// see `GaussianComposition`.
public struct GaussianEvent: EventAnalysis {
    /// z, in [0, ∞].
    public let noiseMultiplier: Double

    static let kind = PrivacyEvent.Kind.gaussian
    var asPrivacyEvent: PrivacyEvent { .gaussian(self) }
    var name: String { "a Gaussian of noise multiplier \(noiseMultiplier)" }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless z is in [0, ∞].
    public init(noiseMultiplier: Double) throws(AccountingError) {
        self.noiseMultiplier = try Check.nonNegative(noiseMultiplier, "noiseMultiplier")
    }

    /// Reads the number and checks it.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(noiseMultiplier: box.decode(Double.self, forKey: .noiseMultiplier))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        try phases.addGaussian(noiseMultiplier: noiseMultiplier, count: count)
    }
}

extension PrivacyEvent {
    /// Gaussian noise of standard deviation `noiseMultiplier`·C.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless it is in [0, ∞].
    public static func gaussian(noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent {
        .gaussian(try GaussianEvent(noiseMultiplier: noiseMultiplier))
    }
}
