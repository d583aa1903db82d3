import Requirements

/// The noise of one run: the state of its mechanism, from step to step.
///
///     var noise = Noise(.discreteGaussian)
///     let gradient = try aggregate.privatized(noise: &noise).vector
///
/// **Guarantee:** the type is non-copyable, and no random number of it is used for two releases. Noise that is not
/// seeded has a fresh key from the operating system, which is written nowhere. A process that forks copies it; do not
/// fork while you hold one.
public struct Noise: ~Copyable, Sendable {
    private var state: any NoiseState & ~Copyable
    /// The mechanism, and its configuration.
    public let scheme: NoiseScheme

    package init(_ state: consuming some NoiseState & ~Copyable, of mechanism: some NoiseMechanism) {
        self.state = consume state
        scheme = NoiseScheme(mechanism)
    }

    /// Cryptographic noise under a fresh key from the operating system.
    public init(_ scheme: NoiseScheme) {
        self = scheme.mechanism.begin(nonPrivateSeed: nil)
    }

    /// Reproducible noise. **Not private**: whoever knows the seed can subtract it. For tests and benchmarks.
    public init(_ scheme: NoiseScheme, nonPrivateSeed seed: UInt64) {
        self = scheme.mechanism.begin(nonPrivateSeed: seed)
    }

    /// The noise that goes on from `checkpoint`: bit by bit under the seed that it was begun with, under a fresh secure
    /// key if `seed` is nil.
    ///
    /// Traps for the checkpoint of another mechanism than the scheme's.
    package init(_ scheme: NoiseScheme, resuming checkpoint: NoiseCheckpoint, nonPrivateSeed seed: UInt64?) {
        func resume(_ mechanism: some NoiseMechanism) -> Noise {
            mechanism.resume(from: checkpoint.value(for: mechanism), nonPrivateSeed: seed)
        }
        self = resume(scheme.mechanism)
    }

    mutating func privatize<Transform>(
        _ batch: consuming ClippedAggregate<Transform>
    ) throws(PrivacyMechanismError) -> TransformedGradient<Transform> {
        try state.privatize(batch)
    }

    mutating func noisyCount(halves: Int, standardDeviation: Double) -> Double {
        state.noisyCount(halves: halves, standardDeviation: standardDeviation)
    }

    /// What the run's checkpoint holds of its noise: never a secure key. With ranks, all of them ask for it at once.
    package func checkpoint(of ranks: Ranks? = nil) -> NoiseCheckpoint {
        let own = Self.checkpoint(of: state)
        guard let ranks else { return own }
        func gathered(by mechanism: some NoiseMechanism) -> NoiseCheckpoint {
            NoiseCheckpoint(mechanism.gathered(own.value(for: mechanism), from: ranks), of: mechanism)
        }
        return gathered(by: scheme.mechanism)
    }

    /// A call on the stored existential itself would consume it.
    private static func checkpoint(of state: borrowing any NoiseState & ~Copyable) -> NoiseCheckpoint {
        state.checkpoint()
    }
}
