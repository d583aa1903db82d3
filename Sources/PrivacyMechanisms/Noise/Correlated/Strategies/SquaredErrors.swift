/// Squared row norms of B = A·C⁻¹: the variance that noise of variance 1 leaves in each answer of the workload A.
///
/// Utility and not privacy: rounded to nearest. The standard deviation of an answer in a run is the root times
/// z · sens(C) · Δ.
public struct SquaredErrors: Hashable, Sendable {
    /// The mean over all rows.
    public let mean: Double
    /// The largest row's.
    public let max: Double
}
