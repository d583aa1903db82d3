import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct PrivacyVerificationTests {
    /// arXiv 2304.07927's bound, minimised over τ on a fine scan.
    @Test func deltaIsTheMinimumOverFactors() throws {
        let verification = try PrivacyVerification(epsilon: 1, baseDelta: 5e-5, sampleCount: 1_000_000)
        #expect(abs(verification.delta - 9.7448e-5) < 5e-10)
        // More samples come nearer to δ₀, one proves next to nothing.
        #expect(try PrivacyVerification(epsilon: 1, baseDelta: 5e-5, sampleCount: 100_000_000).delta < 5.6e-5)
        #expect(try PrivacyVerification(epsilon: 1, baseDelta: 5e-5, sampleCount: 1).delta > 0.5)
        for (m, base) in [(1000, 0.05), (10_000, 0.001)] {
            let delta = try PrivacyVerification(epsilon: 1, baseDelta: base, sampleCount: m).delta
            let scan = (1...10_000).map { (k: Int) -> Double in
                let larger = base * exp(-log(base) * Double(k) / 10_001)
                return larger + exp(-Double(m) * relativeEntropy(base, larger)) * (1 - larger)
            }.min()!
            #expect(delta <= scan * (1 + 1e-6) && delta >= scan * (1 - 1e-5))
        }
    }

    /// A check passes what is private enough by far, and not what is not.
    @Test func checksTellRunsApart() throws {
        var random = SeededGenerator(seed: 2)
        let verification = try PrivacyVerification(epsilon: 1, baseDelta: 0.01, sampleCount: 2000)
        func run(_ z: Double) throws(AccountingError) -> SimulatedRun {
            try .ballsInBins(iterations: 4, bins: 4, coefficients: [1], noiseMultiplier: z)
        }
        #expect(try verification.passes(run(2), using: &random))
        #expect(try verification.passes(run(2)))
        #expect(try !verification.passes(run(0.5), using: &random))
        // What one direction alone lets pass fails: δ to add is below 10⁻², δ to remove is above.
        let (z, epsilon) = (0.8, 1.0)
        let add = try run(z).meanExcess(epsilon: epsilon, isRemoved: false, count: 20_000, using: &random)
        let remove = try run(z).meanExcess(epsilon: epsilon, isRemoved: true, count: 20_000, using: &random)
        let between = try PrivacyVerification(
            epsilon: epsilon, baseDelta: (add.value * remove.value).squareRoot(), sampleCount: 20_000)
        #expect(add.value < 0.7 * remove.value)
        #expect(try !between.passes(run(z), using: &random))
    }

    /// The search ends at the first failure, and does not go on to what would pass by chance.
    @Test func theFirstFailureEndsTheSearch() throws {
        var random = SeededGenerator(seed: 3)
        let verification = try PrivacyVerification(epsilon: 1, baseDelta: 0.01, sampleCount: 2000)
        var asked: [Double] = []
        let last = try verification.last(of: [3, 2, 0.5, 4], using: &random) { z throws(AccountingError) in
            asked.append(z)
            return try .ballsInBins(iterations: 4, bins: 4, coefficients: [1], noiseMultiplier: z)
        }
        #expect(last == 2 && asked == [3, 2, 0.5])
        let none = try verification.last(of: [0.5], using: &random) { z throws(AccountingError) in
            try .ballsInBins(iterations: 4, bins: 4, coefficients: [1], noiseMultiplier: z)
        }
        #expect(none == nil)
    }

    @Test func badNumbersThrow() {
        for (epsilon, delta, count) in [(-1.0, 0.1, 10), (1, 0, 10), (1, 1, 10), (1, .nan, 10), (1, 0.1, 0)] {
            #expect(throws: AccountingError.self) {
                try PrivacyVerification(epsilon: epsilon, baseDelta: delta, sampleCount: count)
            }
        }
    }
}
