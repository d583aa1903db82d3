/// What a step that is taken twice does with its batch: because the first was lost with an interrupted process, or
/// because two processes go on from copies of one checkpoint.
///
/// Each time has noise of its own. Who sees the outcomes of both has seen two releases, and the ε of a run counts one.
///
/// What a second time costs is said here for noise that is independent from step to step. Noise that is correlated over
/// steps puts examples of earlier steps into the outcome of a step, too: who sees steps twice has seen the noise of one
/// strategy twice, and a whole run more counts.
///
/// The structure of the run is the same both times, and an event may count on its being hidden. The second outcome
/// then tells of it, too, and yet costs no more than if it came from steps of its own. For let Σ aᵢXᵢ be the likelihood
/// ratio of a run, a mean over an example's structures i, and Wᵢ that of the second outcome, the same law for each i or
/// 1. As E Wᵢ = 1, Σ aᵢXᵢWᵢ grows in the convex order if Wᵢ replaces 1, and again if one W, independent of the run,
/// replaces all Wᵢ: Σ aᵢXᵢWᵢ ≤ W·Σ aᵢXᵢ. The right side is the composition of the run with one more query, and a ratio
/// that is larger in this order is of a pair that dominates, in both directions.
public enum BatchRepetition: Hashable, Sendable {
    /// The second time chooses anew who of those whose turn it is takes part: it costs as one more such choice.
    case drawsAnew
    /// The structure of the run decides the batch, which is the same: it costs each example in it one more Gaussian
    /// query, without amplification.
    case repeatsTheBatch
}
