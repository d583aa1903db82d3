extension PrivacyEvent {
    /// The event itself, once every number in the tree has been found in range.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` for the first number that is not.
    public func validated() throws(AccountingError) -> PrivacyEvent {
        switch self {
        case .noOp, .nonPrivate:
            break
        case .gaussianEvent(let z), .laplaceEvent(let z):
            try Check.nonNegative(z, "noiseMultiplier")
        case .zCDPEvent(let rho, let xi):
            try Check.finiteNonNegative(rho, "rho")
            try Check.finiteNonNegative(xi, "xi")
        case .poissonSampledEvent(let probability, let event):
            try Check.probability(probability)
            _ = try event.validated()
        case .sampledWithReplacementEvent(let sourceSize, let sampleSize, let event):
            try Check.count(sourceSize, "sourceSize", atLeast: 1)
            try Check.count(sampleSize, "sampleSize")
            _ = try event.validated()
        case .sampledWithoutReplacementEvent(let sourceSize, let sampleSize, let event):
            try Check.count(sourceSize, "sourceSize", atLeast: 1)
            guard (0...sourceSize).contains(sampleSize) else {
                throw .outOfRange(name: "sampleSize", value: "\(sampleSize)", allowed: "in 0...\(sourceSize)")
            }
            _ = try event.validated()
        case .truncatedPoissonSampledGaussianEvent(let datasetSize, let probability, let batch, let z):
            try Check.count(datasetSize, "datasetSize")
            try Check.probability(probability)
            try Check.count(batch, "truncatedBatchSize")
            try Check.nonNegative(z, "noiseMultiplier")
        case .composedEvent(let events):
            for event in events { _ = try event.validated() }
        case .selfComposedEvent(let event, let count):
            try Check.count(count, "count")
            _ = try event.validated()
        }
        return self
    }
}
