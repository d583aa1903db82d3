import PrivacyAccounting

/// A way to make clipped sums private: what a plan says of it, and the event that it makes of a participation pattern.
///
/// A mechanism is plain configuration: it can be compared and coded. What changes from step to step is its
/// ``NoiseState``. To add one, write a folder with both and a line in ``NoiseScheme/mechanisms``.
///
/// The protocol is sealed: a guarantee hangs on every conformer, and outside this package nobody can write one.
///
/// **Guarantee:** of every conformer,
///
/// - ``event(of:noiseMultiplier:)`` with ``slack(steps:)`` is never less than what the states that it begins do to data
///   that take part as the pattern says, with noise of multiplier z in every step, under the relations of the sampler,
///   also where an adaptive clip norm's count has its share of z;
/// - a state under a secure key has a fresh one from the operating system, whether it is begun or resumed, and no
///   checkpoint holds a key;
/// - a state that is resumed under a seed goes on bit by bit.
package protocol NoiseMechanism: Codable, Hashable, Sendable {
    /// What a state leaves in a checkpoint, in a keyed container. Vectors in it go to the checkpoint's vector file.
    ///
    /// - Warning: it may be more than nothing for a secure run, and then it is as secret as the data.
    associatedtype Checkpoint: Codable & Sendable

    /// The mechanism's name in plans.
    static var kind: String { get }

    /// How the sums that it makes private are taken.
    var sums: SumArithmetic { get }

    /// Whether the sensitivity may change from step to step, as it does under an adaptive clip norm. Plans that combine
    /// adaptive clipping with a mechanism that needs the same one in every step are refused.
    var allowsChangingSensitivity: Bool { get }

    /// How many times as large as those of independent noise of the same multiplier the numbers can be that a state
    /// draws or adds, at least 1: the grid of exact sums leaves room for them.
    var amplitude: Double { get }

    /// The standard deviation of the noise that a step draws, in units of a grid of sensitivity M, for sums of so many
    /// columns.
    func deviation(noiseMultiplier z: Double, sensitivity: Double, columns: Int) -> Double

    /// Throws if `checkpoint`, which was read from a file, is none of this mechanism's.
    func check(_ checkpoint: Checkpoint) throws

    /// What ranks have of a checkpoint together. Every rank knows of sums and noise what is in its share of the
    /// columns: see ``Ranks``.
    func gathered(_ checkpoint: Checkpoint, from ranks: Ranks) -> Checkpoint

    /// How many steps came before `checkpoint`; nil where it does not say.
    func stepsTaken(_ checkpoint: Checkpoint) -> Int?

    /// What `pattern.iterations` steps, and so any part of them, are accounted as.
    ///
    /// Throws `AccountingError` for a noise multiplier out of range, and where the mechanism has no analysis of the
    /// pattern: plans that need one are refused.
    func event(of pattern: ParticipationPattern, noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent

    /// What an accountant's answers about the event of `steps` steps are off by: to be added to every ε and δ. Nil
    /// where the event is all that there is to it.
    func slack(steps: Int) throws(AccountingError) -> ContinuousCoverSlack?

    /// The state before the first step, under a fresh secure key if `seed` is nil.
    func begin(nonPrivateSeed seed: UInt64?) -> Noise

    /// The state that goes on from `checkpoint`, under a fresh secure key if `seed` is nil.
    func resume(from checkpoint: Checkpoint, nonPrivateSeed seed: UInt64?) -> Noise
}

extension NoiseMechanism {
    package var amplitude: Double { 1 }

    package func deviation(noiseMultiplier z: Double, sensitivity: Double, columns: Int) -> Double { z * sensitivity }

    package func check(_ checkpoint: Checkpoint) {}

    package func stepsTaken(_ checkpoint: Checkpoint) -> Int? { nil }

    package func gathered(_ checkpoint: Checkpoint, from ranks: Ranks) -> Checkpoint { checkpoint }
}

/// What a noise mechanism holds from one step to the next.
///
/// **Guarantee:** of every conformer, no random number is used for two releases: the type should not be copyable.
package protocol NoiseState: ~Copyable, Sendable {
    /// Adds noise of standard deviation z·Δ, Δ the add-or-remove-one sensitivity of the batch and z > 0 its noise
    /// multiplier, and hands the sum out.
    ///
    /// A mechanism that needs what not every batch has (a bound, the same transform in every step) refuses here.
    /// Throws `PrivacyMechanismError`, and then releases nothing of the batch.
    mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform>

    /// A count of `halves`/2, which an example changes by ½, with noise of `standardDeviation` > 0.
    mutating func noisyCount(halves: Int, standardDeviation: Double) -> Double

    /// What ``NoiseMechanism/resume(from:nonPrivateSeed:)`` goes on from.
    borrowing func checkpoint() -> NoiseCheckpoint
}
