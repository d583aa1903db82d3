import PrivacyMechanisms
import PrivateTraining
import Testing

/// What a report says of correlated noise, against what follows from C by hand.
@Suite struct StrategyReportTests {
    private static let c = 0.5

    private func plan(_ noise: PlannedNoise, z: Double = 3) throws -> PrivacyPlan {
        try PrivacyPlan(
            sampling: .ballsInBins(BallsInBinsSampler(exampleCount: 100, bins: 2)), iterations: 4,
            clipping: .flat(l2ClipNorm: 2), budget: .noiseMultiplier(z), delta: 1e-5, accountant: .rdp, noise: noise)
    }

    /// C = 1 + c·(one step back), n = 4, two participations two steps apart, which do not overlap: ‖C‖² = 1 + c² and
    /// sens² = 2(1 + c²). Row t of the prefix sums of C⁻¹ has the entries Σ_{j≤i} (−c)^j for i ≤ t.
    @Test func numbersFollowFromTheMatrix() throws {
        let strategy = try ToeplitzStrategy(coefficients: [1, Self.c], steps: 4)
        let plan = try plan(.correlated(.bandedToeplitz(strategy)))
        let report = try #require(StrategyReport(of: plan, independentError: 7))
        #expect(report.kind == "banded-toeplitz" && report.bands == 2 && report.steps == 4 && !report.restarts)
        #expect(report.participations == 2 && report.separation == 2 && report.independentError == 7)
        let norm = (1 + Self.c * Self.c).squareRoot()
        var (sum, power, squares) = (0.0, 1.0, [Double]())
        for _ in 0..<4 {
            sum += power
            power *= -Self.c
            squares.append(sum * sum)
        }
        // Row t has the first t + 1 of them.
        let mean = squares.enumerated().reduce(0) { $0 + Double(4 - $1.offset) * $1.element } / 4
        // z·C/N = 3·2/50.
        let error = 0.12 * norm * mean.squareRoot()
        // A few roundings, and what norms are rounded up by.
        #expect(abs(report.columnNorm / norm - 1) < 1e-12 && report.columnNorm >= norm * (1 - 0x1p-52))
        let sensitivity = try #require(report.sensitivity)
        #expect(abs(sensitivity / (norm * 2.0.squareRoot()) - 1) < 1e-12)
        #expect(abs(report.predictedError / error - 1) < 1e-12)
        // The noise of a step, before it is correlated.
        #expect(abs(plan.noiseDeviationOfMean / (0.12 * norm) - 1) < 1e-12)
        #expect(PrivacyReport(of: plan).noiseStandardDeviation == plan.noiseDeviationOfMean)
    }

    /// Independent noise and C = 1 are the same, √((n + 1)/2) times the noise of a step; only the latter is reported
    /// on.
    @Test func theIdentityIsIndependentNoise() throws {
        let (first, second) = (
            try plan(.discreteGaussian), try plan(.correlated(.identity(IdentityStrategy(steps: 4))))
        )
        let expected = 0.12 * 2.5.squareRoot()
        for plan in [first, second] { #expect(abs(plan.predictedError(steps: 4) / expected - 1) < 1e-12) }
        #expect(StrategyReport(of: first) == nil && StrategyReport(of: second) != nil)
    }

    /// Reports and what is said before training name the same things; with the parameters, their memory too.
    @Test func itsLinesNameEverything() throws {
        let strategy = try BufferedToeplitzStrategy(decays: [0.9, 0.5], weights: [0.2, 0.1], steps: 4)
        let plan = try plan(.correlated(.blt(strategy)))
        let report = try #require(StrategyReport(of: plan))
        let text = report.lines(parameterCount: 1000).map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        for part in [
            "strategy: blt, no bands, 4 steps", "sens(C) = ", "2 participations, at least 2 steps apart",
            "independent noise has", "16 bytes for each parameter, 16000 bytes for all of them",
        ] {
            #expect(text.contains(part), "\(text)")
        }
        let whole = PrivacyReport(of: plan).text
        for line in report.lines() { #expect(whole.contains(line.value)) }
    }
}
