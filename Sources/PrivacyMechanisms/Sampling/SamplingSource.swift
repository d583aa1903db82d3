/// Where sampling gets its randomness: a secret key, and an independent stream of random bits for every step.
///
/// The stream of step t is a function of key and t alone, so that a run resumed at t goes on as if it had never stopped,
/// without replaying what came before. Streams are AES-128 in counter mode, each in a domain of its own.
///
/// - Warning: amplification by sampling holds only against those who do not know the batches. The key tells them all:
///   it is as secret as the data, and is neither printed nor coded except through ``secretState``.
public struct SamplingSource: Sendable, Equatable {
    let stream: KeyStream
    /// What the choices of single steps come from: the same, unless steps are taken anew.
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

    /// The source for steps that are taken anew, `attempt` = 1, 2, … : epochs and partitions stay, the independent choices of
    /// steps are others.
    ///
    /// A step that is lost and taken again with the same batch and fresh noise would tell as much about that batch as one
    /// step with half the noise's variance: far more than two steps with batches of their own.
    package func forAttempt(_ attempt: Int) -> SamplingSource {
        precondition(attempt >= 1, "Attempts are counted from 1 on, and \(attempt) was asked for.")
        var source = self
        source.stepStream = stream.withBlocks(from: UInt64(attempt), count: 1, domain: SamplingStream.attemptDomain) {
            KeyStream(keyBytes: Array(UnsafeBufferPointer(start: $0, count: 16)))
        }
        return source
    }

    /// The key, for a checkpoint that is kept as secret as the data.
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
