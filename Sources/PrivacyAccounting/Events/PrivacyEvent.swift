/// What a training run did to the data, as far as privacy is concerned: a tree of mechanisms and compositions.
///
/// Events say nothing about the neighbouring relation; an accountant is asked about an event *under* a relation.
/// A noise multiplier is always the noise's standard deviation (for Laplace, its scale) over the add-or-remove clip
/// norm, whatever the relation.
///
///     let step = try PrivacyEvent.poissonSampled(probability: 0.01, .gaussian(noiseMultiplier: 1.1))
///     let run = try PrivacyEvent.selfComposed(step, count: 10_000)
///     if case .selfComposed(let repeated) = run { print(repeated.count) }
///
/// **Guarantee:** an event holds only values in range. Whatever a case holds was checked when it was made or decoded.
public indirect enum PrivacyEvent: Hashable, Sendable {
    /// Gaussian noise.
    case gaussian(GaussianEvent)
    /// Zero-concentrated differential privacy.
    case zCDP(ZCDPEvent)
    /// Laplace noise on a real-valued query.
    case laplace(LaplaceEvent)
    /// An event on a Poisson batch.
    case poissonSampled(PoissonSampledEvent)
    /// An event on a sample with replacement.
    case sampledWithReplacement(SampledWithReplacementEvent)
    /// An event on a random subset.
    case sampledWithoutReplacement(SampledWithoutReplacementEvent)
    /// Gaussian noise on a Poisson batch of limited size.
    case truncatedPoissonSampledGaussian(TruncatedPoissonSampledGaussianEvent)
    /// Gaussian noise on steps of which a record takes part in some, chosen at random.
    case randomAllocated(RandomAllocatedEvent)
    /// Several events.
    case composed(ComposedEvent)
    /// One event, several times.
    case selfComposed(SelfComposedEvent)
    /// Nothing touched the data.
    case noOp
    /// Something touched the data without protection.
    case nonPrivate
}

extension PrivacyEvent {
    /// The kinds of event, by the names under which they are coded.
    enum Kind: String, Codable, CaseIterable {
        case gaussian, zCDP, laplace, poissonSampled, sampledWithReplacement, sampledWithoutReplacement
        case truncatedPoissonSampledGaussian, randomAllocated, composed, selfComposed, noOp, nonPrivate

        /// The type that decodes events of this kind.
        var type: any EventAnalysis.Type {
            switch self {
            case .gaussian: GaussianEvent.self
            case .zCDP: ZCDPEvent.self
            case .laplace: LaplaceEvent.self
            case .poissonSampled: PoissonSampledEvent.self
            case .sampledWithReplacement: SampledWithReplacementEvent.self
            case .sampledWithoutReplacement: SampledWithoutReplacementEvent.self
            case .truncatedPoissonSampledGaussian: TruncatedPoissonSampledGaussianEvent.self
            case .randomAllocated: RandomAllocatedEvent.self
            case .composed: ComposedEvent.self
            case .selfComposed: SelfComposedEvent.self
            case .noOp: NoOpEvent.self
            case .nonPrivate: NonPrivateEvent.self
            }
        }
    }

    /// All that is known about the event.
    var analysis: any EventAnalysis {
        switch self {
        case .gaussian(let event): event
        case .zCDP(let event): event
        case .laplace(let event): event
        case .poissonSampled(let event): event
        case .sampledWithReplacement(let event): event
        case .sampledWithoutReplacement(let event): event
        case .truncatedPoissonSampledGaussian(let event): event
        case .randomAllocated(let event): event
        case .composed(let event): event
        case .selfComposed(let event): event
        case .noOp: NoOpEvent()
        case .nonPrivate: NonPrivateEvent()
        }
    }
}

extension PrivacyEvent: Codable {
    private enum Key: CodingKey {
        case kind
    }

    /// Writes one object with a `kind` and the numbers of that kind, children under `event` or `events`.
    public func encode(to encoder: any Encoder) throws {
        let analysis = self.analysis
        var box = encoder.container(keyedBy: Key.self)
        try box.encode(type(of: analysis).kind, forKey: .kind)
        try analysis.encode(to: encoder)
    }

    /// Reads what ``encode(to:)`` writes.
    /// - Throws: `DecodingError` for a malformed tree, ``AccountingError`` for a number out of range.
    public init(from decoder: any Decoder) throws {
        let kind = try decoder.container(keyedBy: Key.self).decode(Kind.self, forKey: .kind)
        self = try kind.type.init(from: decoder).asPrivacyEvent
    }
}
