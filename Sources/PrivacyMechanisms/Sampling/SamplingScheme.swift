import PrivacyAccounting

/// Any of this package's samplers, for configuration that names one: a `kind` and the sampler's own keys beside it.
///
///     {"kind": "poisson", "exampleCount": 60000, "samplingProbability": 0.01}
public enum SamplingScheme: Hashable, Sendable {
    /// `"poisson"`.
    case poisson(PoissonSampler)
    /// `"cyclic-poisson"`.
    case cyclicPoisson(CyclicPoissonSampler)
    /// `"truncated-poisson"`.
    case truncatedPoisson(TruncatedPoissonSampler)
    /// `"balls-in-bins"`.
    case ballsInBins(BallsInBinsSampler)
    /// `"random-allocation"`.
    case randomAllocation(RandomAllocationSampler)
    /// `"b-min-sep"`.
    case bMinSep(BMinSepSampler)
    /// `"fixed-size"`.
    case fixedSize(FixedSizeSampler)
    /// `"shuffled-epochs"`, without amplification.
    case shuffledEpochs(ShuffledEpochs)
    /// `"user"`.
    case user(UserSampler)

    /// The sampler inside.
    public var sampler: any BatchSampler {
        switch self {
        case .poisson(let sampler): sampler
        case .cyclicPoisson(let sampler): sampler
        case .truncatedPoisson(let sampler): sampler
        case .ballsInBins(let sampler): sampler
        case .randomAllocation(let sampler): sampler
        case .bMinSep(let sampler): sampler
        case .fixedSize(let sampler): sampler
        case .shuffledEpochs(let sampler): sampler
        case .user(let sampler): sampler
        }
    }
}

extension SamplingScheme: BatchSampler {
    /// The sampler's number of examples.
    public var exampleCount: Int { sampler.exampleCount }

    /// The sampler's expected batch size.
    public var expectedBatchSize: Double { sampler.expectedBatchSize }

    /// The sampler's unit of privacy.
    public var privacyUnit: PrivacyUnit { sampler.privacyUnit }

    /// The relations under which the sampler's pattern holds.
    public var relations: Set<NeighboringRelation> { sampler.relations }

    /// The sampler's assumption.
    public var assumption: String { sampler.assumption }

    /// What becomes of the sampler's batch when a step is taken twice.
    public var repetition: BatchRepetition { sampler.repetition }

    /// The sampler's participation pattern.
    public func participation(in iterations: Int) throws(AccountingError) -> ParticipationPattern {
        try sampler.participation(in: iterations)
    }

    /// The sampler's batch of `step`.
    public func batch(at step: Int, from source: SamplingSource, cache: inout SamplingCache) -> [Int] {
        sampler.batch(at: step, from: source, cache: &cache)
    }
}

extension SamplingScheme: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind
    }

    package enum Kind: String, Codable {
        case poisson, user
        case cyclicPoisson = "cyclic-poisson"
        case truncatedPoisson = "truncated-poisson"
        case ballsInBins = "balls-in-bins"
        case randomAllocation = "random-allocation"
        case bMinSep = "b-min-sep"
        case fixedSize = "fixed-size"
        case shuffledEpochs = "shuffled-epochs"
    }

    package var kind: Kind {
        switch self {
        case .poisson: .poisson
        case .cyclicPoisson: .cyclicPoisson
        case .truncatedPoisson: .truncatedPoisson
        case .ballsInBins: .ballsInBins
        case .randomAllocation: .randomAllocation
        case .bMinSep: .bMinSep
        case .fixedSize: .fixedSize
        case .shuffledEpochs: .shuffledEpochs
        case .user: .user
        }
    }

    /// Reads a `kind` and its sampler's keys. Throws ``PrivacyMechanismError`` for a value out of range.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self =
            switch try container.decode(Kind.self, forKey: .kind) {
            case .poisson: .poisson(try PoissonSampler(from: decoder))
            case .cyclicPoisson: .cyclicPoisson(try CyclicPoissonSampler(from: decoder))
            case .truncatedPoisson: .truncatedPoisson(try TruncatedPoissonSampler(from: decoder))
            case .ballsInBins: .ballsInBins(try BallsInBinsSampler(from: decoder))
            case .randomAllocation: .randomAllocation(try RandomAllocationSampler(from: decoder))
            case .bMinSep: .bMinSep(try BMinSepSampler(from: decoder))
            case .fixedSize: .fixedSize(try FixedSizeSampler(from: decoder))
            case .shuffledEpochs: .shuffledEpochs(try ShuffledEpochs(from: decoder))
            case .user: .user(try UserSampler(from: decoder))
            }
    }

    /// Writes the sampler's keys, and its `kind` beside them.
    public func encode(to encoder: any Encoder) throws {
        try sampler.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
    }
}
