import Testing

@testable import dp

@Suite struct ClassProbabilitiesTests {
    /// Against softmax and the logistic function of small whole scores, worked out by hand; within a few ulps.
    @Test func areThoseOfTheScores() {
        let three = ClassProbabilities(scores: [0, 1, -1]).values
        let expected = [0.24472847105479764, 0.6652409557748219, 0.09003057317038046]
        for (value, expected) in zip(three, expected) { #expect(abs(value - expected) <= 4 * expected.ulp) }
        let two = ClassProbabilities(scores: [2]).values
        #expect(abs(two[1] - 0.8807970779778823) <= 4 * two[1].ulp && two.count == 2)
        #expect(abs(two[0] + two[1] - 1) <= 2 * 1.0.ulp)
    }

    /// Scores whose exponentials are beyond Float64.
    @Test func largeScoresAreNoProblem() {
        #expect(ClassProbabilities(scores: [3e4, 0, -3e4]).values == [1, 0, 0])
        #expect(ClassProbabilities(scores: [-3e38]).values == [1, 0])
        #expect(ClassProbabilities(scores: [3e38]).values == [0, 1])
    }
}
