extension PrivacyEvent: Codable {
    private enum Kind: String, Codable {
        case gaussian, zCDP, laplace, poissonSampled, sampledWithReplacement, sampledWithoutReplacement
        case truncatedPoissonSampledGaussian, composed, selfComposed, noOp, nonPrivate
    }

    private enum Key: String, CodingKey {
        case kind, noiseMultiplier, rho, xi, probability, sourceSize, sampleSize, datasetSize, truncatedBatchSize
        case event, events, count
    }

    /// Writes one object with a `kind` and the numbers of that kind, children under `event` or `events`.
    public func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: Key.self)
        switch self {
        case .gaussianEvent(let z):
            try box.encode(Kind.gaussian, forKey: .kind)
            try box.encode(z, forKey: .noiseMultiplier)
        case .zCDPEvent(let rho, let xi):
            try box.encode(Kind.zCDP, forKey: .kind)
            try box.encode(rho, forKey: .rho)
            try box.encode(xi, forKey: .xi)
        case .laplaceEvent(let z):
            try box.encode(Kind.laplace, forKey: .kind)
            try box.encode(z, forKey: .noiseMultiplier)
        case .poissonSampledEvent(let probability, let event):
            try box.encode(Kind.poissonSampled, forKey: .kind)
            try box.encode(probability, forKey: .probability)
            try box.encode(event, forKey: .event)
        case .sampledWithReplacementEvent(let sourceSize, let sampleSize, let event),
            .sampledWithoutReplacementEvent(let sourceSize, let sampleSize, let event):
            let isReplacing = if case .sampledWithReplacementEvent = self { true } else { false }
            try box.encode(isReplacing ? Kind.sampledWithReplacement : .sampledWithoutReplacement, forKey: .kind)
            try box.encode(sourceSize, forKey: .sourceSize)
            try box.encode(sampleSize, forKey: .sampleSize)
            try box.encode(event, forKey: .event)
        case .truncatedPoissonSampledGaussianEvent(let datasetSize, let probability, let batch, let z):
            try box.encode(Kind.truncatedPoissonSampledGaussian, forKey: .kind)
            try box.encode(datasetSize, forKey: .datasetSize)
            try box.encode(probability, forKey: .probability)
            try box.encode(batch, forKey: .truncatedBatchSize)
            try box.encode(z, forKey: .noiseMultiplier)
        case .composedEvent(let events):
            try box.encode(Kind.composed, forKey: .kind)
            try box.encode(events, forKey: .events)
        case .selfComposedEvent(let event, let count):
            try box.encode(Kind.selfComposed, forKey: .kind)
            try box.encode(event, forKey: .event)
            try box.encode(count, forKey: .count)
        case .noOp:
            try box.encode(Kind.noOp, forKey: .kind)
        case .nonPrivate:
            try box.encode(Kind.nonPrivate, forKey: .kind)
        }
    }

    /// Reads what ``encode(to:)`` writes.
    /// - Throws: `DecodingError` for a malformed tree, ``AccountingError`` for a number out of range.
    public init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: Key.self)
        func number(_ key: Key) throws -> Double { try box.decode(Double.self, forKey: key) }
        func integer(_ key: Key) throws -> Int { try box.decode(Int.self, forKey: key) }
        func child() throws -> PrivacyEvent { try box.decode(PrivacyEvent.self, forKey: .event) }
        let event: PrivacyEvent =
            switch try box.decode(Kind.self, forKey: .kind) {
            case .gaussian: try .gaussianEvent(noiseMultiplier: number(.noiseMultiplier))
            case .zCDP: try .zCDPEvent(rho: number(.rho), xi: number(.xi))
            case .laplace: try .laplaceEvent(noiseMultiplier: number(.noiseMultiplier))
            case .poissonSampled: try .poissonSampledEvent(probability: number(.probability), event: child())
            case .sampledWithReplacement:
                try .sampledWithReplacementEvent(
                    sourceSize: integer(.sourceSize), sampleSize: integer(.sampleSize), event: child())
            case .sampledWithoutReplacement:
                try .sampledWithoutReplacementEvent(
                    sourceSize: integer(.sourceSize), sampleSize: integer(.sampleSize), event: child())
            case .truncatedPoissonSampledGaussian:
                try .truncatedPoissonSampledGaussianEvent(
                    datasetSize: integer(.datasetSize), probability: number(.probability),
                    truncatedBatchSize: integer(.truncatedBatchSize), noiseMultiplier: number(.noiseMultiplier))
            case .composed: try .composedEvent(box.decode([PrivacyEvent].self, forKey: .events))
            case .selfComposed: try .selfComposedEvent(child(), count: integer(.count))
            case .noOp: .noOp
            case .nonPrivate: .nonPrivate
            }
        self = try event.validated()
    }
}
