/// Computes ε for a given δ, and δ for a given ε, of a privacy event under one neighbouring relation.
///
/// **Guarantee:** whatever a conforming type returns holds; where it has no proof, it throws or returns ∞ for ε and 1
/// for δ.
public protocol PrivacyAccountant: Sendable {
    /// The name used in reports, in errors and on the command line.
    static var name: String { get }

    /// The relation that both answers hold for.
    var relation: NeighboringRelation { get }

    /// An ε for which the event is (ε, δ)-private; ∞ when there is none.
    /// - Throws: ``AccountingError`` for a δ outside [0, 1) or an event without a valid bound.
    func epsilon(of event: PrivacyEvent, delta: Double) throws(AccountingError) -> Double

    /// A δ for which the event is (ε, δ)-private, at most 1.
    /// - Throws: ``AccountingError`` for a negative ε or an event without a valid bound.
    func delta(of event: PrivacyEvent, epsilon: Double) throws(AccountingError) -> Double

    /// ε as in ``epsilon(of:delta:)``, and an ε that no analysis can go below: nil, the default, for an accountant that
    /// knows none.
    /// - Throws: as ``epsilon(of:delta:)``.
    func epsilonEnds(of event: PrivacyEvent, delta: Double) throws(AccountingError) -> (lower: Double?, upper: Double)

    /// δ as in ``delta(of:epsilon:)``, and a δ that no analysis can go below: nil, the default, for an accountant that
    /// knows none.
    /// - Throws: as ``delta(of:epsilon:)``.
    func deltaEnds(of event: PrivacyEvent, epsilon: Double) throws(AccountingError) -> (lower: Double?, upper: Double)
}

extension PrivacyAccountant {
    /// ``epsilon(of:delta:)`` alone.
    public func epsilonEnds(
        of event: PrivacyEvent, delta: Double
    ) throws(AccountingError) -> (lower: Double?, upper: Double) {
        (nil, try epsilon(of: event, delta: delta))
    }

    /// ``delta(of:epsilon:)`` alone.
    public func deltaEnds(
        of event: PrivacyEvent, epsilon: Double
    ) throws(AccountingError) -> (lower: Double?, upper: Double) {
        (nil, try delta(of: event, epsilon: epsilon))
    }
}
