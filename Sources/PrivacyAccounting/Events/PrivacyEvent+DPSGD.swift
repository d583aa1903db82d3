extension PrivacyEvent {
    /// DP-SGD: `iterations` × Poisson(`samplingProbability`, Gaussian(`noiseMultiplier`)).
    /// - Throws: ``AccountingError/outOfRange(name:value:allowed:)``.
    public static func dpSGD(
        noiseMultiplier: Double, samplingProbability: Double, iterations: Int
    ) throws(AccountingError) -> PrivacyEvent {
        let step = try poissonSampled(
            probability: samplingProbability, gaussian(noiseMultiplier: noiseMultiplier))
        return try selfComposed(step, count: Check.count(iterations, "iterations"))
    }
}
