/// A lower bound on ε that an experiment justifies: it holds with ``confidence`` only.
public struct EpsilonLowerBound: Hashable, Sendable {
    /// The bound, ≥ 0.
    public let epsilon: Double
    /// δ.
    public let delta: Double
    /// The lower bound on μ that ``epsilon`` comes from, where the statistic tests for μ-GDP.
    public let mu: Double?
    /// How the bound was found.
    public let statistic: AuditStatistic
    /// The threshold that it is for.
    public let threshold: Double
    /// The probability, over runs, coins and splits, that the bound is not above the truth, at least.
    public let confidence: Double
}

extension EpsilonLowerBound: CustomStringConvertible {
    /// The bound, with what it is worth.
    public var description: String {
        let family = mu.map { ", if the mechanism is Gaussian differentially private, with μ ≥ \($0)" } ?? ""
        return "ε ≥ \(epsilon) at δ = \(delta) with confidence \(confidence) (\(statistic.rawValue))\(family)"
    }
}
