/// Where the threshold comes from above which an attack takes a canary for included.
///
/// A threshold that was chosen on the scores it is used for makes a bound invalid, unless that is corrected for.
public enum ThresholdChoice: Hashable, Sendable {
    /// One that was chosen without a look at these scores.
    case given(Double)
    /// The one with the largest bound on half of the scores, chosen by fair coins. The bound uses the other half.
    case split
    /// The best of all scores as thresholds. Each may fail with a probability of (1 − confidence)/count, with the count
    /// of *all* canaries (Bonferroni): a subset that depends on the scores, such as the Pareto frontier, is no
    /// correction.
    case corrected
}
