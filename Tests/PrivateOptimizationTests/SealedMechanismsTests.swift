import Testing

/// A guarantee hangs on every noise mechanism and sampler: nobody outside this package can write one.
@Suite struct SealedMechanismsTests {
    private static let compiler = SecondMomentRefusalTests.compiler
    private static let isAvailable = SecondMomentRefusalTests.isAvailable

    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: [
            ("struct Mine: NoiseMechanism {}", "NoiseMechanism"), ("struct Mine: NoiseState {}", "NoiseState"),
            ("_ = NoiseScheme(mechanism: 1)", "NoiseScheme"), ("_ = Noise(state: 1)", "Noise"),
        ])
    func outsideNobodyConforms(_ body: String, _ name: String) throws {
        let diagnostics = try SecondMomentRefusalTests().diagnostics(for: body)
        #expect(diagnostics.contains("error:") && diagnostics.contains(name))
    }

    /// Control: what is public compiles the same way.
    @Test(
        .enabled(if: compiler != nil, isAvailable),
        arguments: [
            "_ = NoiseScheme.gaussian.kind", "var noise = Noise(.gaussian); use(&noise); func use(_: inout Noise) {}",
        ])
    func whatIsPublicCompiles(_ body: String) throws {
        #expect(try SecondMomentRefusalTests().diagnostics(for: body) == "")
    }
}
