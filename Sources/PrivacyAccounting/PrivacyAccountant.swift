/// An answerer of two questions about an event under one neighbouring relation: ε at a δ, and δ at an ε.
public protocol PrivacyAccountant: Sendable {
    /// The name used in reports and errors.
    static var name: String { get }

    /// The relation that both answers hold for.
    var relation: NeighboringRelation { get }

    /// An ε for which the event is (ε, δ)-private; ∞ when there is none.
    /// - Throws: ``AccountingError`` for a δ outside [0, 1) or an event without a valid bound.
    func epsilon(of event: PrivacyEvent, delta: Double) throws(AccountingError) -> Double

    /// A δ for which the event is (ε, δ)-private, at most 1.
    /// - Throws: ``AccountingError`` for a negative ε or an event without a valid bound.
    func delta(of event: PrivacyEvent, epsilon: Double) throws(AccountingError) -> Double
}
