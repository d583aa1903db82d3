import PyTrees

/// What correlated noise leaves in a checkpoint.
///
/// - Warning: it is as secret as the data. Of banded strategies it holds un-noised sums, of others the noise of steps
///   that have been released.
package struct CorrelatedCheckpoint: Codable, Sendable {
    /// Where the window stands.
    var window: NoiseWindow
    /// How far the stream of a seeded run has come. A stream under a secure key is not gone on with.
    var position: UInt64
    /// Past noise, buffers, or sums; the latest last.
    var vectors: [WideVector] = []
    /// Past results of a banded strategy, in grid units; the latest last.
    var results: [ParameterVector] = []
}
