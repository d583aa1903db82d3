import PrivacyAuditing
import Testing

@testable import dp

@Suite struct ScoreHistogramTests {
    /// Both kinds are in the same bins, and nothing is lost: ends belong to the outer bins, and so does infinity.
    @Test func everyScoreIsInOneBin() throws {
        let scores = try CanaryScores(
            included: [0, 1.5, 4, .infinity], excluded: [-.infinity, 0.5, 1, 3.999, -.infinity])
        let histogram = ScoreHistogram(scores, binCount: 4)
        #expect(histogram.range == 0...4)
        #expect(histogram.included == [1, 1, 0, 2])
        #expect(histogram.excluded == [3, 1, 0, 1])
    }

    @Test func scoresThatAreAllAlikeHaveARange() throws {
        for score in [2.0, .infinity, -.infinity] {
            let histogram = ScoreHistogram(try CanaryScores(included: [score], excluded: [score]), binCount: 3)
            #expect(histogram.range.lowerBound < histogram.range.upperBound)
            #expect(histogram.included.reduce(0, +) == 1 && histogram.excluded.reduce(0, +) == 1)
        }
    }

    /// The tallest bar is full, the smallest not empty.
    @Test func barsAreInEighths() throws {
        let scores = try CanaryScores(included: [Double](repeating: 0, count: 80) + [1], excluded: [1, 1])
        let lines = ScoreHistogram(scores, binCount: 10).text.split(separator: "\n")
        #expect(lines[0] == "scores in   █        ▁")
        #expect(lines[1] == "scores out           ▁")
        #expect(lines[2] == "            0        1")
    }
}
