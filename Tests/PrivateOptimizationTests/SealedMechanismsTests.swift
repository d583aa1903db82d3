import Testing

/// A guarantee hangs on every noise mechanism, sampler and clipping method: nobody outside this package can write one.
@Suite struct SealedMechanismsTests {
    private static let compiler = SecondMomentRefusalTests.compiler
    private static let isAvailable = SecondMomentRefusalTests.isAvailable

    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: [
            ("struct Mine: NoiseMechanism {}", "NoiseMechanism"), ("struct Mine: NoiseState {}", "NoiseState"),
            ("_ = NoiseScheme(mechanism: 1)", "NoiseScheme"), ("_ = Noise(state: 1)", "Noise"),
            ("struct Mine: FixedClipping {}", "FixedClipping"),
            ("struct Mine: BatchSampler {}", "BatchSampler"), ("_ = SamplingScheme(sampler: 1)", "SamplingScheme"),
            (
                "_ = try ParticipationPattern(iterations: 1, choice: .eachStep(probability: 1))",
                "'ParticipationPattern' initializer is inaccessible"
            ),
            // An event is made by a mechanism, of what a sampler says.
            ("let sampler: PoissonSampler; _ = try sampler.event(noiseMultiplier: 1, iterations: 1)", "event"),
        ])
    func outsideNobodyConforms(_ body: String, _ name: String) throws {
        let diagnostics = try SecondMomentRefusalTests().diagnostics(for: body)
        #expect(diagnostics.contains("error:") && diagnostics.contains(name))
    }

    /// Control: what is public compiles the same way.
    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: [
            "_ = NoiseScheme.discreteGaussian.kind",
            "let s: SamplingScheme = .poisson(try PoissonSampler(exampleCount: 9, samplingProbability: 0.1)); "
                + "_ = try NoiseScheme.discreteGaussian.event(of: s.participation(in: 3), noiseMultiplier: 1)",
            "var noise = Noise(.discreteGaussian); use(&noise); func use(_: inout Noise) {}",
        ])
    func whatIsPublicCompiles(_ body: String) throws {
        #expect(try SecondMomentRefusalTests().diagnostics(for: body) == "")
    }
}
