import Foundation

/// Where sampling gets its randomness: a secret key, and an independent stream of random bits for every step.
///
/// The stream of step t is a function of key and t alone, so that a run resumed at t goes on as if it had never
/// stopped, without replaying what came before. Streams are AES-128 in counter mode, each in a domain of its own.
///
/// There are two kinds of choices, and a sampler takes each from the stream of its kind:
///
/// - the *structure* of a run or an epoch: a partition, a permutation, an allocation, slots. The analysis counts on its
///   being the same from the first step to the last, since it bounds how often an example can take part. Events of
///   allocations, bins and slots also count on its being hidden;
/// - the *choices of single steps*: who of those whose turn it is takes part.
///
/// - Warning: amplification by sampling holds only against those who do not know the batches. The key tells them all:
///   it is as secret as the data, and is neither printed nor coded except through ``secretState``, which a checkpoint
///   holds.
public struct SamplingSource: Sendable, Equatable {
    private(set) var stream: KeyStream
    /// What the choices of single steps come from: the same, unless ``withFreshSteps()`` made it another.
    private(set) var stepStream: KeyStream
    /// Whether the key came from a seed, which is not private.
    public let isSeeded: Bool

    /// A source under a fresh key from the operating system.
    public init() {
        stream = KeyStream()
        stepStream = stream
        isSeeded = false
    }

    /// A reproducible source. **Not private**: whoever knows the seed knows every batch. For tests and benchmarks.
    public init(nonPrivateSeed seed: UInt64) {
        stream = KeyStream(nonPrivateSeed: seed)
        stepStream = stream
        isSeeded = true
    }

    /// The source that ``secretState`` was taken from: it gives the same batches at the same steps.
    public init(secretState: SecretState) {
        stream = KeyStream(keyBytes: secretState.key)
        stepStream = stream
        isSeeded = secretState.isSeeded
    }

    /// The source with the same structure whose choices of single steps come from a key of their own, which the
    /// operating system makes now and which is written nowhere.
    ///
    /// Every process that takes steps of a private run should do so with such a source, whether it begins the run or
    /// goes on with it, as `PrivateRun` does. A step that is taken twice, because the first was lost or because a
    /// checkpoint was copied, would with the same batch and fresh noise tell as much about that batch as one step
    /// with half the noise's variance. With choices of its own it tells as much as one more step.
    ///
    /// **Guarantee:** ``secretState`` is that of the structure, and tells nothing of the choices of steps.
    public func withFreshSteps() -> SamplingSource {
        var source = self
        source.stepStream = KeyStream()
        return source
    }

    /// The source of rank 0, on every rank: all draw the same batches.
    ///
    /// - Warning: the keys pass the interconnect, which has to be trusted.
    package func ofFirst(of ranks: Ranks) -> SamplingSource {
        let bytes = [UInt8](ranks.broadcast(Data(stream.keyBytes + stepStream.keyBytes + [isSeeded ? 1 : 0])))
        var source = SamplingSource(secretState: SecretState(key: Array(bytes[..<16]), isSeeded: bytes[32] == 1))
        source.stepStream = KeyStream(keyBytes: Array(bytes[16..<32]))
        return source
    }

    /// The source of `rank`, where each rank samples a part of the data.
    ///
    /// **Guarantee:** sources of different ranks are independent, even if this one is the same on all of them: under
    /// equal keys, examples at the same place of two parts would take part together or not at all, and amplification by
    /// sampling would not hold.
    package func ofPart(_ rank: Int) -> SamplingSource {
        var source = self
        source.stream = stream.derived(rank)
        source.stepStream = stepStream.derived(rank)
        return source
    }

    /// The key, for a checkpoint that is kept as secret as the data. With it every batch can be drawn again, but for
    /// choices of steps under a key of their own.
    public var secretState: SecretState { SecretState(key: stream.keyBytes, isSeeded: isSeeded) }

    /// A source's key in a form that can be coded. **Secret**: with it, batches are no longer hidden, and a run that
    /// counted on their being hidden is less private than was accounted for.
    public struct SecretState: Hashable, Sendable {
        fileprivate let key: [UInt8]
        fileprivate let isSeeded: Bool
    }
}

extension SamplingSource: CustomStringConvertible, CustomReflectable {
    /// Says whether the source is seeded, and nothing of the key.
    public var description: String { "SamplingSource(\(isSeeded ? "seeded, not private" : "key hidden"))" }

    /// Shows nothing of the key.
    public var customMirror: Mirror { Mirror(self, children: ["isSeeded": isSeeded]) }
}

extension SamplingSource.SecretState: Codable, CustomStringConvertible, CustomReflectable {
    private enum CodingKeys: String, CodingKey {
        case key, isSeeded
    }

    /// Reads what ``encode(to:)`` writes; throws ``PrivacyMechanismError`` unless the key has 16 bytes.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        key = try container.decode([UInt8].self, forKey: .key)
        isSeeded = try container.decode(Bool.self, forKey: .isSeeded)
        guard key.count == 16 else {
            throw PrivacyMechanismError.invalidSamplingParameter(
                name: "The length of the sampling key", value: "\(key.count)", allowed: "16 bytes")
        }
    }

    /// Writes the secret key, and whether it came from a seed.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(key, forKey: .key)
        try container.encode(isSeeded, forKey: .isSeeded)
    }

    /// Nothing of the key.
    public var description: String { "SamplingSource.SecretState(hidden)" }

    /// Shows nothing of the key.
    public var customMirror: Mirror { Mirror(self, children: ["isSeeded": isSeeded]) }
}
