import Foundation
import Testing
import _TestSupport

@testable import PrivacyAuditing

@Suite struct OneRunTestTests {
    /// **Guarantee:** (ε, δ) that hold are rejected with the significance at most, here of randomized response, which
    /// reveals each coin with δ, and else tells it truly with e^ε/(1 + e^ε): of 2,000 at 0.1, 200 and five deviations
    /// of 13.4. The broken twin tests for ε − 0.3 without δ.
    @Test(arguments: [0, 0.002]) func truthIsRejectedSeldom(delta: Double) {
        var random = SeededGenerator(seed: 3)
        let (epsilon, count) = (1.0, 300)
        let truth = 1 / (1 + exp(-epsilon))
        func rejects(_ right: Int, epsilon: Double, delta: Double) -> Bool {
            let guesses = Guesses(
                includedCount: count, excludedCount: 0, truePositives: right, falsePositives: count - right)
            return OneRunTest(guesses: guesses, delta: delta, significance: 0.1).rejects(epsilon: epsilon)
        }
        var (failures, broken) = (0, 0)
        for _ in 0..<2000 {
            let right = (0..<count).count { _ in
                let revealed = Double.random(in: 0..<1, using: &random) < delta
                return revealed || Double.random(in: 0..<1, using: &random) < truth
            }
            if rejects(right, epsilon: epsilon, delta: delta) { failures += 1 }
            if rejects(right, epsilon: epsilon - 0.3, delta: 0) { broken += 1 }
        }
        #expect(failures <= 267)
        #expect(broken > 267)
    }

    /// A rejected ε stays rejected below it.
    @Test func rejectionIsMonotone() {
        for (right, wrong, delta) in [(90, 10, 1e-5), (90, 10, 1e-3), (20, 0, 1e-4), (500, 300, 1e-4)] {
            let guesses = Guesses(
                includedCount: 600, excludedCount: 600, truePositives: right, falsePositives: wrong)
            let one = OneRunTest(guesses: guesses, delta: delta, significance: 0.05)
            let gaussian = OneRunGaussianTest(guesses: guesses, significance: 0.05)
            let grid = stride(from: 0.0, through: 6, by: 0.05)
            let refused = (grid.map { one.rejects(epsilon: $0) }, grid.map { gaussian.rejects(mu: $0) })
            #expect(refused.0 == refused.0.sorted { $0 && !$1 })
            #expect(refused.1 == refused.1.sorted { $0 && !$1 })
        }
    }
}
