/// Laplace noise of scale b·C on a real-valued query of sensitivity C. b = 0 is not private.
///
/// Analysed by both accountants under every relation.
public struct LaplaceEvent: EventAnalysis {
    /// b, in [0, ∞].
    public let noiseMultiplier: Double

    static let kind = PrivacyEvent.Kind.laplace
    var asPrivacyEvent: PrivacyEvent { .laplace(self) }
    var name: String { "a Laplace mechanism of noise multiplier \(noiseMultiplier)" }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless b is in [0, ∞].
    public init(noiseMultiplier: Double) throws(AccountingError) {
        self.noiseMultiplier = try Check.nonNegative(noiseMultiplier, "noiseMultiplier")
    }

    /// Reads the number and checks it.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(noiseMultiplier: box.decode(Double.self, forKey: .noiseMultiplier))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        try phases.addMechanism(asPrivacyEvent, noiseMultiplier: noiseMultiplier, count: count)
    }

    func renyiDivergence(under relation: NeighboringRelation) -> (Double) -> Double {
        let b = noiseMultiplier / relation.sensitivityFactor
        return { RenyiDivergence.laplace(order: $0, noiseMultiplier: b) }
    }

    func loss(under relation: NeighboringRelation, side: LossModel.Side) -> LossStep {
        let scale = noiseMultiplier / relation.sensitivityFactor
        return LossStep([.init(mirrored: LaplacePair(scale: scale))])
    }

    /// count/b, with the sensitivity in place of 1.
    func largestLoss(count: Int, under relation: NeighboringRelation, side: LossModel.Side) -> Double {
        side.quotient(side.double(count) * relation.sensitivityFactor, by: noiseMultiplier)
    }
}

extension PrivacyEvent {
    /// Laplace noise of scale `noiseMultiplier`·C on a real-valued query.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless it is in [0, ∞].
    public static func laplace(noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent {
        .laplace(try LaplaceEvent(noiseMultiplier: noiseMultiplier))
    }
}
