/// What a training run did to the data, as far as privacy is concerned: a tree of mechanisms and compositions.
///
/// Events say nothing about the neighbouring relation; an accountant is asked about an event *under* a relation.
/// A noise multiplier is always the noise's standard deviation (for Laplace, its scale) over the add-or-remove clip
/// norm, whatever the relation.
///
///     let step = try PrivacyEvent.poissonSampled(probability: 0.01, .gaussian(noiseMultiplier: 1.1))
///     let run = try PrivacyEvent.selfComposed(step, count: 10_000)
///
/// Built through the checked functions below or decoded from a file, an event holds only values in range. The enum's
/// own cases are open to pattern matching; accountants check again, so an event put together by hand is caught too.
public indirect enum PrivacyEvent: Hashable, Sendable {
    /// Gaussian noise of standard deviation z·C on a query of L2 sensitivity C. z = 0 is not private.
    case gaussianEvent(noiseMultiplier: Double)

    /// (ξ, ρ)-zero-concentrated differential privacy: D_α ≤ ξ + ρα for all α > 1 (arXiv 1605.02065).
    case zCDPEvent(rho: Double, xi: Double)

    /// Laplace noise of scale b·C on a real-valued query of sensitivity C.
    case laplaceEvent(noiseMultiplier: Double)

    /// The event on a batch that holds each record independently with `probability`.
    case poissonSampledEvent(probability: Double, event: PrivacyEvent)

    /// The event on `sampleSize` records drawn uniformly with replacement from `sourceSize`.
    case sampledWithReplacementEvent(sourceSize: Int, sampleSize: Int, event: PrivacyEvent)

    /// The event on a uniformly random subset of `sampleSize` out of `sourceSize` records.
    case sampledWithoutReplacementEvent(sourceSize: Int, sampleSize: Int, event: PrivacyEvent)

    /// Poisson sampling whose batches are cut to `truncatedBatchSize` by a random subset, then Gaussian noise
    /// (arXiv 2508.15089).
    case truncatedPoissonSampledGaussianEvent(
        datasetSize: Int, probability: Double, truncatedBatchSize: Int, noiseMultiplier: Double)

    /// All of these, adaptively.
    case composedEvent([PrivacyEvent])

    /// The same event `count` times, adaptively.
    case selfComposedEvent(PrivacyEvent, count: Int)

    /// Nothing touched the data.
    case noOp

    /// Something touched the data without protection.
    case nonPrivate
}

extension PrivacyEvent {
    /// Gaussian noise of standard deviation `noiseMultiplier`·C.
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)`` unless it is in [0, ∞].
    public static func gaussian(noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.gaussianEvent(noiseMultiplier: noiseMultiplier).validated()
    }

    /// (ξ, ρ)-zCDP, both finite and not negative.
    public static func zCDP(rho: Double, xi: Double = 0) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.zCDPEvent(rho: rho, xi: xi).validated()
    }

    /// Laplace noise of scale `noiseMultiplier`·C on a real-valued query.
    public static func laplace(noiseMultiplier: Double) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.laplaceEvent(noiseMultiplier: noiseMultiplier).validated()
    }

    /// `event` on a Poisson batch; `probability` in [0, 1].
    public static func poissonSampled(
        probability: Double, _ event: PrivacyEvent
    ) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.poissonSampledEvent(probability: probability, event: event).validated()
    }

    /// `event` on a sample with replacement; `sourceSize` ≥ 1, `sampleSize` ≥ 0.
    public static func sampledWithReplacement(
        sourceSize: Int, sampleSize: Int, _ event: PrivacyEvent
    ) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.sampledWithReplacementEvent(sourceSize: sourceSize, sampleSize: sampleSize, event: event)
            .validated()
    }

    /// `event` on a random subset; 0 ≤ `sampleSize` ≤ `sourceSize`, `sourceSize` ≥ 1.
    public static func sampledWithoutReplacement(
        sourceSize: Int, sampleSize: Int, _ event: PrivacyEvent
    ) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.sampledWithoutReplacementEvent(sourceSize: sourceSize, sampleSize: sampleSize, event: event)
            .validated()
    }

    /// Gaussian noise on truncated Poisson batches; sizes ≥ 0, `probability` in [0, 1].
    public static func truncatedPoissonSampledGaussian(
        datasetSize: Int, probability: Double, truncatedBatchSize: Int, noiseMultiplier: Double
    ) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.truncatedPoissonSampledGaussianEvent(
            datasetSize: datasetSize, probability: probability, truncatedBatchSize: truncatedBatchSize,
            noiseMultiplier: noiseMultiplier
        ).validated()
    }

    /// All of `events`.
    public static func composed(_ events: [PrivacyEvent]) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.composedEvent(events).validated()
    }

    /// `event`, `count` ≥ 0 times.
    public static func selfComposed(_ event: PrivacyEvent, count: Int) throws(AccountingError) -> PrivacyEvent {
        try PrivacyEvent.selfComposedEvent(event, count: count).validated()
    }

    /// DP-SGD: `iterations` × Poisson(`samplingProbability`, Gaussian(`noiseMultiplier`)).
    public static func dpSGD(
        noiseMultiplier: Double, samplingProbability: Double, iterations: Int
    ) throws(AccountingError) -> PrivacyEvent {
        let step = try poissonSampled(
            probability: samplingProbability, gaussian(noiseMultiplier: noiseMultiplier))
        return try selfComposed(step, count: Check.count(iterations, "iterations"))
    }
}
