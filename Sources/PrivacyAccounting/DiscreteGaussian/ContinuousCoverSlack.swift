import Foundation

/// s, what answers of a continuous accountant are off by for discrete noise: δ(ε + 2s) ≤ e^s·δ_continuous(ε).
///
///     let slack = try cover.slack(releases: steps, coordinates: parameterCount)
///     let continuous = try accountant.epsilon(of: event, delta: slack.continuousDelta(for: 1e-5))
///     let epsilon = slack.epsilon(continuous: continuous)
///
/// **Guarantee:** every number is rounded to the side that claims less privacy.
public struct ContinuousCoverSlack: Hashable, Sendable {
    /// s ≥ 0.
    public let value: Double

    init(value: Double) { self.value = value }

    /// δ·e^{−s}: what to ask a continuous accountant for where δ is wanted.
    public func continuousDelta(for delta: Double) -> Double {
        value == 0 ? delta : delta * exp(-value) * (1 - 0x1p-50)
    }

    /// 2s: what to add to a continuous accountant's ε.
    public var addedEpsilon: Double { 2 * value }

    /// ε + 2s for the ε of a continuous accountant at ``continuousDelta(for:)``.
    public func epsilon(continuous epsilon: Double) -> Double { value == 0 ? epsilon : (epsilon + addedEpsilon).nextUp }

    /// An upper bound on δ(ε) from a continuous accountant's δ: e^s·δ(ε − 2s).
    ///
    /// For ε < 2s it is e^s·(δ(0) + 2s): lowering the threshold e⁰ by 1 − e^{−t} < t adds at most t to δ.
    public func delta(
        epsilon: Double, continuous: (_ epsilon: Double) throws(AccountingError) -> Double
    ) throws(AccountingError) -> Double {
        try Check.epsilon(epsilon)
        if value == 0 { return try continuous(epsilon) }
        let rest = epsilon == .infinity ? epsilon : (epsilon - addedEpsilon).nextDown
        let delta = rest >= 0 ? try continuous(rest) : try continuous(0) + addedEpsilon
        return min(1, delta * exp(value) * (1 + 0x1p-50))
    }
}
