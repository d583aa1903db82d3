extension CanaryScores {
    /// A measure of the attack. O(count · log count).
    /// - Throws: ``AuditingError/outOfRange(name:value:allowed:)`` for a false positive rate outside [0, 1].
    public func value(of measure: AttackMeasure) throws(AuditingError) -> Double {
        try measure.check()
        return measure.value(on: self)
    }

    /// A measure of the attack with a bootstrap interval by percentiles (Efron, 1979): scores of each kind are drawn
    /// with replacement, as many as there are. O(samples · count · log count).
    /// - `samples`: how often scores are drawn, at least 2.
    /// - `confidence`: in (0, 1).
    /// - Throws: ``AuditingError/outOfRange(name:value:allowed:)`` for numbers outside their ranges.
    public func interval(
        of measure: AttackMeasure, confidence: Double, samples: Int = 1000,
        using generator: inout some RandomNumberGenerator
    ) throws(AuditingError) -> BootstrapInterval {
        try Check.confidence(confidence)
        try Check.count(samples, "samples", atLeast: 2)
        try measure.check()
        var values: [Double] = []
        for _ in 0..<samples {
            let drawn = CanaryScores(
                trusted: included.map { _ in included.randomElement(using: &generator)! },
                excluded.map { _ in excluded.randomElement(using: &generator)! })
            values.append(measure.value(on: drawn))
        }
        values.sort()
        let outside = Int((1 - confidence) / 2 * Double(samples))
        return BootstrapInterval(
            value: measure.value(on: self), lower: values[outside], upper: values[samples - 1 - outside],
            confidence: confidence)
    }
}
