import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct SimulatedRunTests {
    /// log dP/dQ of bins by definition: means and norms by the whole matrix C. `isCut` is the broken twin: what a
    /// contribution adds after the end of its epoch is dropped, and with it the corner of the bins' Gram matrix.
    private static func logRatio(
        _ y: [Double], bins: Int, coefficients: [Double], z: Double, isCut: Bool = false
    ) -> Double {
        let ratios = (0..<bins).map { (bin: Int) -> Double in
            var exponent = 0.0
            for t in y.indices {
                var mean = 0.0
                for s in stride(from: bin, through: t, by: bins) where t - s < coefficients.count {
                    if !isCut || t / bins == s / bins { mean += coefficients[t - s] }
                }
                exponent += (y[t] * y[t] - (y[t] - mean) * (y[t] - mean)) / (2 * z * z)
            }
            return exp(exponent)
        }
        return log(ratios.reduce(0, +) / Double(bins))
    }

    @Test func binsHaveTheRatioOfTheirDefinition() throws {
        var random = SeededGenerator(seed: 3)
        for (bins, coefficients) in [(3, [1.0]), (3, [1, 0.8, 0.3]), (2, [0.9, 0.7, 0.5, 0.4])] {
            let run = try SimulatedRun.ballsInBins(
                iterations: 8, bins: bins, coefficients: coefficients, noiseMultiplier: 1.3)
            let y = (0..<8).map { _ in 2 * random.normal() }
            let exact = Self.logRatio(y, bins: bins, coefficients: coefficients, z: 1.3)
            #expect(abs(run.logRatio(y) - exact) < 1e-12 * (1 + abs(exact)))
            let cut = Self.logRatio(y, bins: bins, coefficients: coefficients, z: 1.3, isCut: true)
            #expect((abs(run.logRatio(y) - cut) > 1e-3) == (coefficients.count > 1))
        }
    }

    /// Noise-free contributions: each example in one bin, or at least b steps apart and as often as p says.
    @Test func participationsAreThoseOfTheLaw() throws {
        var random = SeededGenerator(seed: 4)
        let bins = try BinnedParticipation(iterations: 7, bins: 3, coefficients: [1], noiseMultiplier: 1)
        let drawn = Set((0..<100).map { _ in bins.contributions(using: &random) })
        #expect(drawn == [[1, 0, 0, 1, 0, 0, 1], [0, 1, 0, 0, 1, 0, 0], [0, 0, 1, 0, 0, 1, 0]])
        for start in [SimulatedRun.Start.cold, .warm] {
            let law = try SeparatedParticipation(
                iterations: 10, separation: 3, probability: 0.4, coefficients: [1], noiseMultiplier: 1, start: start)
            var counts = [Double](repeating: 0, count: 10)
            for _ in 0..<4000 {
                let steps = law.contributions(using: &random).enumerated().filter { $1 == 1 }.map(\.offset)
                #expect(zip(steps, steps.dropFirst()).allSatisfy { $1 - $0 >= 3 })
                for step in steps { counts[step] += 1 }
            }
            // In the middle of a run p/(1 + (b − 1)p) = 2/9 of all steps; six deviations of a count of 4,000.
            func isStationary(_ count: Double) -> Bool {
                let (mean, variance): (Double, Double) = (4000 * 2 / 9, 4000 * 2 / 9 * 7 / 9)
                return abs(count - mean) < 6 * variance.squareRoot()
            }
            #expect(start == .warm ? counts.allSatisfy(isStationary) : !isStationary(counts[0]))
        }
    }

    /// Where the deterministic accountant has bounds, too, they and what is simulated do not contradict each other.
    /// The broken twin has one direction alone, that which costs less.
    @Test func simulationAgreesWithTheDeterministicAccountant() throws {
        let accountant = PrivacyLossDistributionAccountant()
        let settings: [(SimulatedRun, PrivacyEvent, Double)] = try [
            (
                // Two epochs are one with noise z/√2.
                .ballsInBins(iterations: 8, bins: 4, coefficients: [1], noiseMultiplier: 1.2),
                .randomAllocated(steps: 4, participations: 1, noiseMultiplier: 1.2 / 2.0.squareRoot()), 1.5
            ),
            (
                .minimumSeparation(
                    iterations: 10, separation: 1, probability: 0.1, coefficients: [1], noiseMultiplier: 0.7),
                .dpSGD(noiseMultiplier: 0.7, samplingProbability: 0.1, iterations: 10), 1.5
            ),
        ]
        for (run, event, epsilon) in settings {
            var random = SeededGenerator(seed: 5)
            let truth = try accountant.deltaBounds(of: event, epsilon: epsilon)
            // Each of four ends fails with 10⁻⁶ at most.
            let result = try run.delta(epsilon: epsilon, confidence: 1 - 4e-6, sampleCount: 30_000, using: &random)
            #expect(result.delta >= truth.lower)
            #expect(abs(result.estimate - truth.upper) < 0.15 * truth.upper && result.delta < 1.4 * truth.upper)
            let add = run.meanExcess(epsilon: epsilon, isRemoved: false, count: 30_000, using: &random)
            #expect(add.upperBound(failure: 1e-6) < truth.lower)
        }
    }

    /// A strategy costs more than its first coefficient, and more than its norm in one step, since what neighbouring
    /// steps would contribute is alike, so that they hide each other less.
    @Test func aStrategyCostsMoreThanItsNorm() throws {
        var random = SeededGenerator(seed: 6)
        let norm = (1 + 0.25).squareRoot()
        let estimates = try [([1.0], 1.0), ([1, 0.5], 1.0), ([1], 1 / norm)].map { coefficients, z in
            try SimulatedRun.minimumSeparation(
                iterations: 12, separation: 3, probability: 0.3, coefficients: coefficients, noiseMultiplier: z
            ).delta(epsilon: 1, confidence: 0.99, sampleCount: 10_000, using: &random).estimate
        }
        #expect(estimates[0] < 0.9 * estimates[1])
        #expect(estimates[2] < 0.9 * estimates[1])
    }

    @Test func badNumbersThrow() {
        func refuses(_ name: String, _ body: () throws(AccountingError) -> SimulatedRun) -> Bool {
            do throws(AccountingError) {
                _ = try body()
                return false
            } catch {
                guard case .outOfRange(name, _, _) = error else { return false }
                return true
            }
        }
        func bins(_ iterations: Int, _ bins: Int, _ c: [Double], _ z: Double) throws(AccountingError) -> SimulatedRun {
            try .ballsInBins(iterations: iterations, bins: bins, coefficients: c, noiseMultiplier: z)
        }
        #expect(refuses("iterations") { () throws(AccountingError) in try bins(-1, 1, [1], 1) })
        #expect(refuses("bins") { () throws(AccountingError) in try bins(1, 0, [1], 1) })
        for coefficients in [[], [0], [1, -0.1], [1, .nan], [.infinity]] {
            #expect(refuses("coefficients") { () throws(AccountingError) in try bins(1, 1, coefficients, 1) })
        }
        for z in [0, -1, .nan, .infinity] {
            #expect(refuses("noiseMultiplier") { () throws(AccountingError) in try bins(1, 1, [1], z) })
        }
        func separated(_ b: Int, _ p: Double, _ c: [Double]) throws(AccountingError) -> SimulatedRun {
            try .minimumSeparation(iterations: 3, separation: b, probability: p, coefficients: c, noiseMultiplier: 1)
        }
        #expect(refuses("separation") { () throws(AccountingError) in try separated(0, 0.5, [1]) })
        #expect(refuses("probability") { () throws(AccountingError) in try separated(2, 1.5, [1]) })
        #expect(
            refuses("The number of coefficients") { () throws(AccountingError) in try separated(2, 0.5, [1, 1, 1]) })
        #expect(!refuses("bins") { () throws(AccountingError) in try bins(0, 1, [1], 1) })
    }
}
