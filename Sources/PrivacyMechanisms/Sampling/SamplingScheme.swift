import PrivacyAccounting

/// How the batch of each step is chosen: any of this package's samplers, and for configuration that names one, a `kind`
/// and the sampler's own keys beside it.
///
///     {"kind": "poisson", "exampleCount": 60000, "samplingProbability": 0.01}
///
/// The batch of a step is a pure function of scheme, source and step. Which examples it holds is private, and so is its
/// size.
///
/// | sampler | a batch | event of T steps under Gaussian noise | relations |
/// |---|---|---|---|
/// | ``PoissonSampler`` | each example with probability q | T × Poisson(q) | all |
/// | ``UserSampler`` | users as one of these draws examples, k examples of each | that of users | those of users |
/// | ``CyclicPoissonSampler`` | the same of group t mod b | ⌈T/b⌉ × Poisson(q) | all; equal groups: fixed n |
/// | ``BMinSepSampler`` | each example, at least b steps apart | K × Poisson(r, 1 of F − b + 1), K ≈ T/F | all |
/// | ``TruncatedPoissonSampler`` | at most m of a Poisson sample | T × truncated Poisson | fixed n |
/// | ``FixedSizeSampler`` | m of n | T × m of n | replace-one |
/// | ``BallsInBinsSampler`` | bin t mod b | 1 of b at z/√⌈T/b⌉, or ⌊T/b⌋ × 1 of b + … | all |
/// | ``RandomAllocationSampler`` | k of t steps are each example's | ⌊T/t⌋ × k of t + … | all |
/// | ``ShuffledEpochs`` | m of a shuffled epoch | epochs × Gaussian | fixed n |
/// | ``SeveralOwnersSampler`` | each owner's at least b steps apart | m per epoch × Gaussian, of an owner | fixed n |
///
/// "Fixed n" is replace-one and replace-special, where the number of examples is public.
///
/// **Guarantee:** what ``participation(in:)`` says is true of the batches, for two data sets that are neighbours under
/// any of ``relations``, whatever the source.
public struct SamplingScheme: Sendable {
    /// The registry: every sampler there is.
    package static let samplers: [any BatchSampler.Type] = [
        PoissonSampler.self,
        UserSampler.self,
        CyclicPoissonSampler.self,
        BMinSepSampler.self,
        TruncatedPoissonSampler.self,
        FixedSizeSampler.self,
        BallsInBinsSampler.self,
        RandomAllocationSampler.self,
        ShuffledEpochs.self,
        SeveralOwnersSampler.self,
    ]

    package let sampler: any BatchSampler

    /// Traps unless the sampler is in the registry: a plan of it could be written and not read.
    package init<Sampler: BatchSampler>(_ sampler: Sampler) {
        requireRegistered(Sampler.self, in: Self.samplers, "SamplingScheme.samplers")
        self.sampler = sampler
    }
}

extension SamplingScheme {
    /// The sampler's name in configuration.
    public var kind: String { type(of: sampler).kind }

    /// The number of examples: batches hold indices in 0..<`exampleCount`.
    public var exampleCount: Int { sampler.exampleCount }

    /// The number of units whose privacy is protected: of examples, or of users.
    public var unitCount: Int { sampler.unitCount }

    /// How many contributions an epoch has: one of each unit, or of each example that several users share.
    public var epochSize: Int { sampler.epochSize }

    /// How users are drawn, and how many examples of each: nil unless the sampler is a ``UserSampler``.
    public var users: UserSampler? { sampler as? UserSampler }

    /// The constant N to divide clipped sums by: the expected number of contributions in a batch, never the number
    /// drawn.
    public var expectedBatchSize: Double { sampler.expectedBatchSize }

    /// Whose participation the pattern is about, and so whose privacy is protected.
    public var privacyUnit: PrivacyUnit { sampler.privacyUnit }

    /// The relations under which the pattern holds for both data sets, and an event made of it is valid.
    public var relations: Set<NeighboringRelation> { sampler.relations }

    /// What a claim takes for granted about the sampling and the data, in one sentence, for reports.
    public var assumption: String { sampler.assumption }

    /// What becomes of the batch of a step that is taken a second time, under another key for the choices of steps.
    public var repetition: BatchRepetition { sampler.repetition }

    /// Whether the configuration itself tells of the data, and must be kept as secret: who owns which example.
    public var isConfidential: Bool { sampler.isConfidential }

    /// What is true of who takes part in the steps 0..<`iterations`. What they cost, a noise mechanism says:
    /// ``NoiseScheme/event(of:noiseMultiplier:)``.
    /// - Throws: ``/PrivacyAccounting/AccountingError/outOfRange(name:value:allowed:)`` for a negative count.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try sampler.participation(in: iterations)
    }

    /// How one of several ranks draws its share of a batch from the part of the data that it holds, `count` examples.
    /// - Throws: `needsAllExamples` for samplers whose law would then be another one.
    package func part(of count: Int) throws(PrivacyMechanismError) -> SamplingScheme {
        func opened(_ sampler: some BatchSampler) -> SamplingScheme { SamplingScheme(sampler) }
        return opened(try sampler.part(of: count))
    }

    /// The batch of `step` ≥ 0: units in the order of each one's first example, a unit's examples ascending. The result
    /// does not depend on `cache`, which saves rebuilding an epoch's allocation for every step of it.
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> Batch {
        sampler.rows(of: sampler.batch(at: step, from: source, cache: &cache), at: step, from: source)
    }

    /// The batch of `step` ≥ 0 alone. For a run of batches take ``Batches``, which keeps an epoch's allocation.
    public func batch(at step: Int, from source: SamplingSource) -> Batch {
        var cache = SamplingCache()
        return batch(at: step, from: source, cache: &cache)
    }
}

extension SamplingScheme: Hashable {
    /// Whether both are the same sampler with the same configuration.
    public static func == (first: SamplingScheme, second: SamplingScheme) -> Bool {
        AnyHashable(first.sampler) == AnyHashable(second.sampler)
    }

    /// Hashes the sampler's configuration.
    public func hash(into hasher: inout Hasher) { sampler.hash(into: &hasher) }
}

extension SamplingScheme: Codable {
    /// Reads a `kind` and its sampler's keys. Throws ``PrivacyMechanismError`` for a value out of range, and
    /// `DecodingError` for a kind that there is not, or a key that the sampler does not have.
    public init(from decoder: any Decoder) throws {
        let sampler = try decoder.registered(in: Self.samplers, "kind") { $0.kind }
        try decoder.refuseUnknownKeys(except: ["kind"] + sampler.keys)
        self.init(try sampler.init(from: decoder))
    }

    /// Writes the sampler's keys, and its `kind` beside them.
    public func encode(to encoder: any Encoder) throws {
        try sampler.encode(to: encoder)
        try encoder.encodeRegistered(kind, "kind")
    }
}
