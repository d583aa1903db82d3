import Foundation

/// Two numbers with the true one between them.
public struct PrivacyBounds: Codable, Hashable, Sendable {
    /// Proven not to exceed the true value.
    public let lower: Double
    /// Proven not to fall below the true value: the one to report.
    public let upper: Double
}

/// Accounting by the distribution of the privacy loss: tight, at any number of steps and for any δ.
///
/// Compositions of Gaussian mechanisms alone are answered in closed form. Where a loss is a smooth function of a
/// Gaussian outcome, as under Poisson sampling, δ(ε) is a contour integral whose errors are all bounded. Everything
/// else, and few steps, is composed on cells of a floating grid, by sums of positive numbers, each rounded to the side
/// that is asked for (connect-the-dots, arXiv 2207.04380, for upper ends). Both ends are proven, by each of the
/// methods.
///
/// Each event says under which relations it is analysed; anything else throws.
public struct PrivacyLossDistributionAccountant: PrivacyAccountant {
    /// "pld".
    public static let name = "pld"

    /// The relation that answers hold for.
    public let relation: NeighboringRelation

    /// The accountant under `relation`.
    public init(relation: NeighboringRelation = .addOrRemoveOne) { self.relation = relation }

    /// An ε at δ.
    ///
    /// **Guarantee:** the event is (ε, δ)-private under ``relation``, for adaptively chosen steps, in both directions
    /// of the relation; discretisation, truncation and floating-point error included. ∞ where no ε would do.
    public func epsilon(of event: PrivacyEvent, delta: Double) throws(AccountingError) -> Double {
        try Query(event, self).epsilon(delta: Check.delta(delta), isOptimistic: false)
    }

    /// A δ at ε, with the same guarantee as ``epsilon(of:delta:)``.
    public func delta(of event: PrivacyEvent, epsilon: Double) throws(AccountingError) -> Double {
        try Query(event, self).delta(epsilon: Check.epsilon(epsilon), isOptimistic: false)
    }

    /// ε at δ, from both sides. Takes about twice as long as the upper end alone.
    ///
    /// **Guarantee:** no mechanism analysis can show less than `lower`, in the worst case over data and queries.
    public func epsilonBounds(of event: PrivacyEvent, delta: Double) throws(AccountingError) -> PrivacyBounds {
        try Check.delta(delta)
        return try bounds(of: event) { (query, isOptimistic) throws(AccountingError) in
            try query.epsilon(delta: delta, isOptimistic: isOptimistic)
        }
    }

    /// The ends of ``epsilonBounds(of:delta:)``.
    public func epsilonEnds(
        of event: PrivacyEvent, delta: Double
    ) throws(AccountingError) -> (lower: Double?, upper: Double) {
        let bounds = try epsilonBounds(of: event, delta: delta)
        return (bounds.lower, bounds.upper)
    }

    /// δ at ε, from both sides.
    public func deltaBounds(of event: PrivacyEvent, epsilon: Double) throws(AccountingError) -> PrivacyBounds {
        try Check.epsilon(epsilon)
        return try bounds(of: event) { (query, isOptimistic) throws(AccountingError) in
            try query.delta(epsilon: epsilon, isOptimistic: isOptimistic)
        }
    }

    /// Both answers to one question about `event`.
    private func bounds(
        of event: PrivacyEvent, _ answer: (Query, _ isOptimistic: Bool) throws(AccountingError) -> Double
    ) throws(AccountingError) -> PrivacyBounds {
        let query = try Query(event, self)
        let (upper, found) = try (answer(query, false), answer(query, true))
        // Without noise nothing is finite, and the lower end may be ∞ − ∞: it is infinite where the upper one is, and
        // elsewhere claims nothing.
        let lower = found.isNaN ? (upper == .infinity ? upper : 0) : found
        assert(lower <= upper * (1 + 1e-9), "Two ends cross: \(lower) and \(upper).")
        return PrivacyBounds(lower: min(upper, lower), upper: upper)
    }

    /// The ends of ``deltaBounds(of:epsilon:)``.
    public func deltaEnds(
        of event: PrivacyEvent, epsilon: Double
    ) throws(AccountingError) -> (lower: Double?, upper: Double) {
        let bounds = try deltaBounds(of: event, epsilon: epsilon)
        return (bounds.lower, bounds.upper)
    }
}
