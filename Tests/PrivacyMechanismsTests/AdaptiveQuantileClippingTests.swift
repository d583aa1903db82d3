import Foundation
import LinearAlgebra
import PyTrees
import Testing

@testable import PrivacyMechanisms

@Suite struct AdaptiveQuantileClippingTests {
    @Test(arguments: [(0.5, 3.0), (1.1, 12.8), (2.0, 1.01), (30, 1e6)])
    func sumAndCountTogetherCostWhatTheMultiplierCosts(z: Double, deviation: Double) throws {
        let adaptive = try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: deviation)
        let part = try adaptive.gradientNoiseMultiplier(forTotal: z)
        // μ² of the two mechanisms: sensitivity 1 over z_g, ½ over σ_b. Never above z⁻²; below by some 2⁻⁴⁹ at most,
        // which the cancellation in 1 − (z/2σ_b)² can amplify by (1 − share²)⁻¹ < 2⁶ here.
        let together = 1 / (part * part) + 1 / (4 * deviation * deviation)
        #expect(together * z * z <= 1 + 0x1p-51)
        #expect(together * z * z > 1 - 0x1p-43)
    }

    @Test func noNoiseStaysNoNoise() throws {
        let adaptive = try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 1)
        #expect(try adaptive.gradientNoiseMultiplier(forTotal: 0) == 0)
    }

    @Test func theClipNormFollowsTheFormula() throws {
        let adaptive = try AdaptiveQuantileClipping(
            initialL2ClipNorm: 1, quantile: 0.4, learningRate: 0.3, countNoiseMultiplier: 1)
        #expect(adaptive.nextL2ClipNorm(after: 2, noisyShareWithin: 0.9) == 2 * exp(-0.3 * (0.9 - 0.4)))
        #expect(adaptive.nextL2ClipNorm(after: 1e100, noisyShareWithin: -1e6) == 1e100)
        #expect(adaptive.nextL2ClipNorm(after: 1e-100, noisyShareWithin: 1e6) == 1e-100)
    }

    /// Norms 1…8: how many are within 5, with padding and an example that is not finite.
    @Test func theCountIsOfExamplesWithinTheBound() throws {
        #expect(try share(of: (1...8).map { Float($0) }, within: 5) == 1.0 / 8 + 0.5)
        #expect(try share(of: [1, 2, 9, 1], padding: [false, true, false, true], within: 5) == 0.5)
        #expect(try share(of: [.nan], within: 5) == -0.5 / 8 + 0.5)
        #expect(try share(of: [], within: 5) == 0.5)
    }

    /// (Σ (b − ½))/8 + ½ without noise, for a batch of one-parameter gradients.
    private func share(of gradients: [Float], padding: [Bool]? = nil, within bound: Double) throws -> Double {
        let layout = try TreeLayout([("x", [1])])
        var aggregate = try ClippedAggregate(
            .flat(l2ClipNorm: bound, normalizeBy: 8), transform: IdentityTransform(layout: layout), noiseMultiplier: 0)
        aggregate.countExamplesWithinBound()
        let matrix = Matrix(rows: gradients.count, columns: 1, elements: gradients)
        aggregate.add(try DenseRows(matrix, layout: layout), padding: padding)
        var noise = Noise(.floatingPointGaussian, nonPrivateSeed: 1)
        var share = 0.0
        _ = try aggregate.noised(countNoiseMultiplier: 1, share: &share, noise: &noise)
        return share
    }

    /// The noise on the count has the deviation that the split of the budget assumes: 2,000 empty batches.
    @Test func theCountIsNoisedAsPlanned() throws {
        let deviation = try countDeviation(countNoiseMultiplier: 3)
        // The empirical deviation of n normals errs by σ/√(2n); 5 of these are exceeded once in 1.7 million runs.
        let tolerance = 5 / (2 * 2000.0).squareRoot()
        #expect(abs(deviation / 3 - 1) < tolerance)
        // The broken twin: two thirds of the noise.
        #expect(abs(try countDeviation(countNoiseMultiplier: 2) / 3 - 1) > tolerance)
    }

    /// **Guarantee:** the noisy count lies on a grid that does not depend on the count, so that its digits do not give
    /// the count away. Floating-point noise, the broken twin, is off the grid.
    @Test(arguments: [0.7, 3, 28.7, 30, 4000])
    func theNoiseOnTheCountHidesItsDigits(deviation: Double) {
        var noise = DiscreteGaussianNoise(nonPrivateSeed: 3)
        var plain = GaussianNoise(nonPrivateSeed: 3)
        let grid = pow(2, log2(deviation).rounded(.down) - 24)
        var (offGrid, squares) = (0, 0.0)
        for index in 0..<400 {
            let halves = index % 3
            let value = noise.noisyCount(halves: halves, standardDeviation: deviation)
            #expect((value / grid).rounded() == value / grid)
            let twin = plain.noisyCount(halves: halves, standardDeviation: deviation) / grid
            if twin != twin.rounded() { offGrid += 1 }
            squares += (value - Double(halves) / 2) * (value - Double(halves) / 2)
        }
        #expect(offGrid > 20)
        // 5 standard errors of the empirical deviation of 400 normals.
        #expect(abs((squares / 400).squareRoot() / deviation - 1) < 5 / (2 * 400.0).squareRoot())
    }

    private func countDeviation(countNoiseMultiplier: Double) throws -> Double {
        let layout = try TreeLayout([("x", [1])])
        var noise = Noise(.discreteGaussian, nonPrivateSeed: 5)
        var squares = 0.0
        for _ in 0..<2000 {
            var aggregate = try ClippedAggregate(
                .flat(l2ClipNorm: 1), transform: IdentityTransform(layout: layout), noiseMultiplier: 1)
            aggregate.countExamplesWithinBound()
            var share = 0.0
            _ = try aggregate.noised(countNoiseMultiplier: countNoiseMultiplier, share: &share, noise: &noise)
            squares += (share - 0.5) * (share - 0.5)
        }
        return (squares / 2000).squareRoot()
    }

    @Test func badNumbersAreNamed() throws {
        #expect(throws: PrivacyMechanismError.self) {
            try AdaptiveQuantileClipping(initialL2ClipNorm: 0, countNoiseMultiplier: 1)
        }
        #expect(throws: PrivacyMechanismError.self) {
            try AdaptiveQuantileClipping(initialL2ClipNorm: 1, quantile: .nan, countNoiseMultiplier: 1)
        }
        #expect(throws: PrivacyMechanismError.self) {
            try AdaptiveQuantileClipping(initialL2ClipNorm: 1, learningRate: -0.1, countNoiseMultiplier: 1)
        }
        let tooQuiet = try AdaptiveQuantileClipping(initialL2ClipNorm: 1, countNoiseMultiplier: 0.5)
        #expect(
            throws: PrivacyMechanismError.invalidAdaptiveClipping(
                name: "countNoiseMultiplier", value: 0.5,
                allowed: "above half of the noise multiplier, 0.5: the count alone would cost the whole budget")
        ) { try tooQuiet.gradientNoiseMultiplier(forTotal: 1) }
    }

    @Test func decodingChecks() throws {
        let adaptive = try AdaptiveQuantileClipping(
            initialL2ClipNorm: 2, quantile: 0.7, learningRate: 0.1, countNoiseMultiplier: 9)
        let data = try JSONEncoder().encode(adaptive)
        #expect(try JSONDecoder().decode(AdaptiveQuantileClipping.self, from: data) == adaptive)
        #expect(throws: PrivacyMechanismError.self) {
            try JSONDecoder().decode(
                AdaptiveQuantileClipping.self,
                from: Data(#"{"initialL2ClipNorm": -1, "countNoiseMultiplier": 1}"#.utf8))
        }
    }

    @Test func aCountWithinSeveralBoundsTraps() async {
        await #expect(processExitsWith: .failure) {
            let layout = try TreeLayout([("x", [1]), ("y", [1])])
            var aggregate = try ClippedAggregate(
                .perSubtree(l2ClipNorms: ["x": 1, "y": 1]), transform: IdentityTransform(layout: layout),
                noiseMultiplier: 0)
            aggregate.countExamplesWithinBound()
        }
    }
}
