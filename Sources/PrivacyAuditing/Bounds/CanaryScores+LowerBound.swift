extension CanaryScores {
    /// A lower bound on the ε of the mechanism that was attacked.
    ///
    /// **Guarantee:** with a probability of at least `confidence` the bound is at most the least ε for which the
    /// mechanism is (ε, δ)-private; of statistics that name μ-GDP, for a mechanism that is μ-GDP, at most the ε of its
    /// least μ at this δ. Bounds are rounded down. ``AuditStatistic`` says which scores it takes.
    ///
    /// - `generator`: the coins of ``ThresholdChoice/split``.
    /// - Warning: of several bounds on the same scores the largest has a smaller confidence. Choose beforehand.
    /// - Throws: ``AuditingError/outOfRange(name:value:allowed:)`` unless the confidence is in (0, 1), δ in [0, 1) (in
    ///   (0, 1) for μ-GDP), and a threshold that is given a number; ``AuditingError/noScores(name:)`` if a half of a
    ///   split has no scores of one kind; ``AuditingError/needsPlan(statistic:)`` for a statistic that only
    ///   ``PrivacyAudit`` has.
    public func epsilonLowerBound(
        _ statistic: AuditStatistic, delta: Double, confidence: Double, threshold: ThresholdChoice,
        using generator: inout some RandomNumberGenerator
    ) throws(AuditingError) -> EpsilonLowerBound {
        try Check.delta(delta, isPositive: statistic.isGaussian)
        if statistic == .planFamily { throw .needsPlan(statistic: statistic.rawValue) }
        let search = ThresholdSearch(statistic: statistic, delta: delta)
        let best = try lowerBound(search, confidence: confidence, threshold: threshold, using: &generator)
        return EpsilonLowerBound(
            epsilon: search.epsilon(best.value), delta: delta, mu: statistic.isGaussian ? best.value : nil,
            statistic: statistic, threshold: best.threshold, confidence: confidence)
    }

    /// The bound of a search, at the threshold that was chosen.
    func lowerBound(
        _ search: ThresholdSearch, confidence: Double, threshold: ThresholdChoice,
        using generator: inout some RandomNumberGenerator
    ) throws(AuditingError) -> ThresholdSearch.Result {
        try Check.confidence(confidence)
        // 1 − confidence is exact for what Float64 holds between ½ and 1, and rounded to the nearest below.
        let significance = (1 - confidence) * (1 - 0x1p-52)
        switch threshold {
        case .given(let value):
            if value.isNaN { throw .outOfRange(name: "threshold", value: "nan", allowed: "a number") }
            return search.best(of: [value], self, significance: significance)
        case .split:
            let parts = try split(using: &generator)
            let chosen = search.best(of: parts.choice.distinct, parts.choice, significance: significance)
            return search.best(of: [chosen.threshold], parts.bound, significance: significance)
        case .corrected:
            let each = significance / Double(count) * (1 - 0x1p-52)
            return search.best(of: distinct, self, significance: each)
        }
    }

    /// As ``epsilonLowerBound(_:delta:confidence:threshold:using:)``, with coins from the operating system.
    public func epsilonLowerBound(
        _ statistic: AuditStatistic, delta: Double, confidence: Double, threshold: ThresholdChoice
    ) throws(AuditingError) -> EpsilonLowerBound {
        var generator = SystemRandomNumberGenerator()
        return try epsilonLowerBound(
            statistic, delta: delta, confidence: confidence, threshold: threshold, using: &generator)
    }
}
