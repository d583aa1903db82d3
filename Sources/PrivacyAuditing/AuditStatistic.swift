/// How a lower bound follows from what an attack gets right.
public enum AuditStatistic: String, CaseIterable, Hashable, Sendable {
    /// Clopper–Pearson limits on both error rates: `ClopperPearsonLimits`. For independent scores, as of a canary a
    /// run.
    case clopperPearson = "clopper-pearson"
    /// The same limits, and the least μ whose Gaussian trade-off curve contains them (arXiv 2302.07956). It tests
    /// whether a mechanism is μ-GDP. A mechanism that is (ε, δ)-private need not be.
    case gaussian = "mu-gdp"
    /// Many canaries in one run, for any (ε, δ)-private mechanism: `OneRunTest`.
    case oneRun = "one-run"
    /// Many canaries in one run, for the family of μ-GDP mechanisms: `OneRunGaussianTest`.
    case oneRunGaussian = "one-run-mu-gdp"
    /// The number of mistakes where every canary is guessed (``ExactTail`` with r = n), for independent scores of a
    /// mechanism in the family of μ-GDP ones.
    case exactTail = "exact-tail"

    /// As the exact tail, for the family of mechanisms that the plan's own noise makes with another noise multiplier:
    /// see ``PrivacyAudit/epsilonLowerBound(_:_:confidence:threshold:)``, which alone can tell.
    case planFamily = "plan-family"

    /// Whether μ is bounded, and ε only by way of it.
    var isGaussian: Bool { self == .gaussian || self == .oneRunGaussian || self == .exactTail }
}
