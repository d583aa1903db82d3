import Testing
import _TestSupport

@testable import PrivacyAuditing

@Suite struct OneRunGaussianTestTests {
    /// **Guarantee:** a μ that holds is rejected with the significance at most: of 2,000 audits at 0.1, in 200 and five
    /// deviations of 13.4. The broken twin drops the wrong guesses, as one does that abstains after a look
    /// at the coins.
    @Test func truthIsRejectedSeldom() {
        var random = SeededGenerator(seed: 4)
        let (mu, count) = (1.0, 200)
        func rejects(_ right: Int, wrong: Int) -> Bool {
            let guesses = Guesses(
                includedCount: count, excludedCount: 0, truePositives: right, falsePositives: wrong)
            return OneRunGaussianTest(guesses: guesses, significance: 0.1).rejects(mu: mu)
        }
        var (failures, broken) = (0, 0)
        for _ in 0..<2000 {
            // Each coin is guessed by the side of μ/2 that its score is on.
            let right = (0..<count).count { _ in random.normal() < mu / 2 }
            if rejects(right, wrong: count - right) { failures += 1 }
            if rejects(right, wrong: 0) { broken += 1 }
        }
        #expect(failures <= 267)
        withKnownIssue { #expect(broken <= 267) }
    }
}
