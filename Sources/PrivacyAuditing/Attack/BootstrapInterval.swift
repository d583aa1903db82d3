/// A value and where it falls in samples with replacement. The interval is approximate: it proves nothing.
public struct BootstrapInterval: Hashable, Sendable {
    /// The value on the scores themselves.
    public let value: Double
    /// The (1 − confidence)/2 quantile of the values on samples.
    public let lower: Double
    /// The (1 + confidence)/2 quantile.
    public let upper: Double
    /// The part of the samples that the interval covers.
    public let confidence: Double
}
