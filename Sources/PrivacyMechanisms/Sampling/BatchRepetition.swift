/// What a step that is taken twice does with its batch: because the first was lost with an interrupted process, or
/// because two processes go on from copies of one checkpoint.
///
/// Each time has noise of its own. Who sees the outcomes of both has seen two releases, and the ε of a run counts one.
public enum BatchRepetition: Hashable, Sendable {
    /// The second time has a batch of its own: it costs as one more step.
    case drawsAnew
    /// The structure of the run decides the batch, which is the same: it costs each example in it one more Gaussian
    /// query. No amplification is claimed for such sampling, so that this is no more than with another batch.
    case repeatsTheBatch
}
