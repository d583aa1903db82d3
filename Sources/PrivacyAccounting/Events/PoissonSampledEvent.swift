/// The event on a batch that holds each record independently with a probability q.
///
/// Analysed by its loss distribution under every relation, when the event inside is: of Gaussian queries exactly; of
/// other events under replace-one by advanced joint convexity. By Rényi divergences, of Gaussian queries, under
/// add-or-remove-one and replace-special. q = 0 reads no record at all; q = 1 is the event itself.
public struct PoissonSampledEvent: EventAnalysis {
    /// q, in [0, 1].
    public let probability: Double
    /// What is done to the batch.
    public let event: PrivacyEvent

    static let kind = PrivacyEvent.Kind.poissonSampled
    var asPrivacyEvent: PrivacyEvent { .poissonSampled(self) }
    var name: String { "\(event.analysis.name) on Poisson batches of rate \(probability)" }

    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless q is in [0, 1].
    public init(probability: Double, event: PrivacyEvent) throws(AccountingError) {
        self.probability = try Check.probability(probability)
        self.event = event
    }

    /// Reads the tree and checks it.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            probability: box.decode(Double.self, forKey: .probability),
            event: box.decode(PrivacyEvent.self, forKey: .event))
    }

    func flatten(into phases: inout Phases, count: Int) throws(AccountingError) {
        // Probability 0 never reads a record, whatever the mechanism inside does with the records it is given.
        if probability == 0 { return }
        if probability == 1 { return try phases.add(event, count: count) }
        try phases.addSampled(event, count: count) { (event) throws(AccountingError) in
            try .poissonSampled(probability: probability, event)
        }
    }

    func renyiDivergence(under relation: NeighboringRelation) throws(AccountingError) -> (Double) -> Double {
        guard case .gaussian(let gaussian) = event, relation != .replaceOne else {
            throw unsupported(by: RenyiAccountant.self, under: relation)
        }
        let (q, z) = (probability, gaussian.noiseMultiplier)
        return { RenyiDivergence.poissonGaussian(order: $0, probability: q, noiseMultiplier: z) }
    }

    func loss(under relation: NeighboringRelation, side: LossModel.Side) throws(AccountingError) -> LossStep {
        if case .gaussian(let gaussian) = event {
            return LossStep([
                .poissonGaussian(probability: probability, noiseMultiplier: gaussian.noiseMultiplier, under: relation)
            ])
        }
        let phases = try Phases(event)
        guard relation == .replaceOne else {
            return LossStep(try SampledBase(phases, of: self, under: relation, side: side), poisson: probability)
        }
        // A record that contributes nothing is one of those that another is replaced by.
        return side == .lower
            ? LossStep(try SampledBase(phases, of: self, under: .addOrRemoveOne, side: side), poisson: probability)
            : LossStep(try SampledBase(phases, of: self, under: relation, side: side), symmetric: probability)
    }
}

extension LossStep.Part {
    /// The Gaussian mechanism on a Poisson batch of rate q, under any relation.
    static func poissonGaussian(
        probability q: Double, noiseMultiplier z: Double, under relation: NeighboringRelation, weight: Double = 1
    ) -> LossStep.Part {
        relation == .replaceOne
            ? LossStep.Part(mirrored: ReplacedGaussianPair(probability: q, mu: 1 / z), weight: weight)
            : LossStep.Part(SubsampledPair(GaussianPair(mu: 1 / z), probability: q), weight: weight)
    }
}

extension PrivacyEvent {
    /// `event` on a Poisson batch.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless `probability` is in [0, 1].
    public static func poissonSampled(
        probability: Double, _ event: PrivacyEvent
    ) throws(AccountingError) -> PrivacyEvent {
        .poissonSampled(try PoissonSampledEvent(probability: probability, event: event))
    }
}
