import Testing
import _TestSupport

@testable import PrivacyAuditing

@Suite struct CanaryScoresTests {
    @Test func badScoresThrow() {
        #expect(throws: AuditingError.noScores(name: "included")) { try CanaryScores(included: [], excluded: [1]) }
        #expect(throws: AuditingError.noScores(name: "excluded")) { try CanaryScores(included: [1], excluded: []) }
        #expect(throws: AuditingError.notANumber(name: "excluded", index: 1)) {
            try CanaryScores(included: [1], excluded: [0, .nan])
        }
    }

    /// Guesses are above a threshold, never at it; infinite scores count.
    @Test func guessesAreAboveTheThreshold() throws {
        let scores = try CanaryScores(included: [2, .infinity, 1, 1], excluded: [1, -.infinity, 0])
        let infinity = Double.infinity
        for (threshold, right, wrong) in [(-infinity, 4, 2), (0, 4, 1), (1, 2, 0), (2, 1, 0), (infinity, 0, 0)] {
            let guesses = scores.guesses(above: threshold)
            #expect(guesses.truePositives == right && guesses.falsePositives == wrong)
        }
        #expect(scores.distinct == [-.infinity, 0, 1, 2, .infinity])
    }

    /// A split loses nothing, and throws where a part has nothing.
    @Test func splitIsAPartition() throws {
        var random = SeededGenerator(seed: 1)
        let scores = try CanaryScores(included: (0..<40).map(Double.init), excluded: (40..<80).map(Double.init))
        let parts = try scores.split(using: &random)
        #expect((parts.choice.included + parts.bound.included).sorted() == scores.included)
        #expect((parts.choice.excluded + parts.bound.excluded).sorted() == scores.excluded)
        let single = try CanaryScores(included: [1], excluded: [0])
        #expect(throws: AuditingError.self) { try single.split(using: &random) }
    }
}
