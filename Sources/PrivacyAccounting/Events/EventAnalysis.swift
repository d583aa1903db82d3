/// One kind of event: its numbers, checked when it is made, and all that this package knows about them.
///
/// A new kind is a type that conforms, in a file of its own, and a case of ``PrivacyEvent`` with its
/// ``PrivacyEvent/Kind``; the compiler then asks for the rest. What a kind does not implement it does not claim: by
/// default an accountant refuses it.
///
/// **Guarantee:** a conforming type
/// - has no initializer, `init(from:)` included, that accepts a number out of range;
/// - ``flatten(into:count:)`` puts mechanisms into the phases that together are at least as revealing as the event;
/// - ``renyiDivergence(under:)`` and ``loss(under:side:)`` throw wherever no bound is proven.
protocol EventAnalysis: Codable, Hashable, Sendable {
    /// What the kind is called where an event is coded.
    static var kind: PrivacyEvent.Kind { get }

    /// The case of ``PrivacyEvent`` that holds this value.
    var asPrivacyEvent: PrivacyEvent { get }

    /// What the event is called in an error, as in "a Laplace mechanism of noise multiplier 2.0".
    var name: String { get }

    /// Adds what `count` > 0 runs amount to: parts, a simpler mechanism, nothing at all; by default the event itself,
    /// as a mechanism that is not taken apart.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` where a count overflows.
    func flatten(into phases: inout Phases, count: Int) throws(AccountingError)

    /// α ↦ an upper bound on D_α of one run, in both directions of `relation`. Asked of mechanisms in ``Phases`` only.
    /// - Throws: ``AccountingError/unsupported(event:relation:accountant:)``, and does so by default.
    func renyiDivergence(under relation: NeighboringRelation) throws(AccountingError) -> (Double) -> Double

    /// The privacy loss of one run: of a mechanism at least as revealing for the upper side, at most as revealing, in
    /// the worst case over data and queries, for the lower. Asked of mechanisms in ``Phases`` only.
    /// - Throws: ``AccountingError/unsupported(event:relation:accountant:)``, and does so by default.
    func loss(under relation: NeighboringRelation, side: LossModel.Side) throws(AccountingError) -> LossStep

    /// The largest privacy loss of `count` runs, rounded toward `side`; ∞, the default, where losses are unbounded.
    func largestLoss(count: Int, under relation: NeighboringRelation, side: LossModel.Side) -> Double
}

extension EventAnalysis {
    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        try phases.addMechanism(asPrivacyEvent, count: count)
    }

    func renyiDivergence(under relation: NeighboringRelation) throws(AccountingError) -> (Double) -> Double {
        throw unsupported(by: RenyiAccountant.self, under: relation)
    }

    func loss(under relation: NeighboringRelation, side: LossModel.Side) throws(AccountingError) -> LossStep {
        throw unsupported(by: PrivacyLossDistributionAccountant.self, under: relation)
    }

    func largestLoss(count: Int, under relation: NeighboringRelation, side: LossModel.Side) -> Double { .infinity }

    /// The error of an accountant that has no bound for this event.
    func unsupported(
        by accountant: any PrivacyAccountant.Type, under relation: NeighboringRelation
    ) -> AccountingError {
        .unsupported(event: name, relation: relation, accountant: accountant.name)
    }
}
