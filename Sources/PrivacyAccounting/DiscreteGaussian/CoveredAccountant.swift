/// An accountant of continuous noise that answers for discrete noise: with the slack s of a cover in every number.
///
///     ε(δ) = ε_base(δ·e^{−s}) + 2s,    δ(ε) = e^s·δ_base(ε − 2s)
///
/// **Guarantee:** its answers hold for whatever ``ContinuousGaussianCover`` covers by the event that it is asked about.
package struct CoveredAccountant<Base: PrivacyAccountant>: PrivacyAccountant {
    package static var name: String { Base.name }

    private let base: Base
    private let slack: ContinuousCoverSlack

    package init(_ base: Base, slack: ContinuousCoverSlack) {
        self.base = base
        self.slack = slack
    }

    package var relation: NeighboringRelation { base.relation }

    package func epsilon(of event: PrivacyEvent, delta: Double) throws(AccountingError) -> Double {
        slack.epsilon(continuous: try base.epsilon(of: event, delta: slack.continuousDelta(for: delta)))
    }

    package func delta(of event: PrivacyEvent, epsilon: Double) throws(AccountingError) -> Double {
        try slack.delta(epsilon: epsilon) { (rest: Double) throws(AccountingError) in
            try base.delta(of: event, epsilon: rest)
        }
    }

    /// The upper end with the slack; the lower end is that of the event itself.
    package func epsilonEnds(
        of event: PrivacyEvent, delta: Double
    ) throws(AccountingError) -> (lower: Double?, upper: Double) {
        let lower = try base.epsilonEnds(of: event, delta: delta).lower
        return (lower, try epsilon(of: event, delta: delta))
    }

    /// The upper end with the slack; the lower end is that of the event itself.
    package func deltaEnds(
        of event: PrivacyEvent, epsilon: Double
    ) throws(AccountingError) -> (lower: Double?, upper: Double) {
        let lower = try base.deltaEnds(of: event, epsilon: epsilon).lower
        return (lower, try delta(of: event, epsilon: epsilon))
    }
}

extension PrivacyAccountant {
    /// The accountant that also answers for what its events cover up to `slack`.
    package func covering(_ slack: ContinuousCoverSlack) -> any PrivacyAccountant {
        CoveredAccountant(self, slack: slack)
    }
}
