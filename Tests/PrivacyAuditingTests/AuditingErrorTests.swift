import Testing

@testable import PrivacyAuditing

@Suite struct AuditingErrorTests {
    let scores: CanaryScores

    init() throws { scores = try CanaryScores(included: [1, 2], excluded: [0, 1]) }

    @Test(arguments: [0, 1, -0.5, .nan, .infinity]) func badConfidencesThrow(confidence: Double) throws {
        var random = SystemRandomNumberGenerator()
        let expected = AuditingError.outOfRange(name: "confidence", value: "\(confidence)", allowed: "in (0, 1)")
        #expect(throws: expected) {
            try scores.epsilonLowerBound(.oneRun, delta: 0, confidence: confidence, threshold: .given(0))
        }
        #expect(throws: expected) {
            try scores.interval(of: .accuracy, confidence: confidence, using: &random)
        }
        let tail = try ExactTail(canaryCount: 3, guessCount: 3, mistakeCount: 1)
        #expect(throws: expected) { try tail.muLowerBound(confidence: confidence) }
    }

    /// δ = 0 is a question to (ε, δ) and none to a Gaussian.
    @Test func badDeltasThrow() throws {
        for statistic in AuditStatistic.allCases {
            for delta in [0, -0.1, 1, .nan] where delta != 0 || statistic.isGaussian {
                #expect(throws: AuditingError.self) {
                    try scores.epsilonLowerBound(statistic, delta: delta, confidence: 0.9, threshold: .corrected)
                }
            }
        }
        _ = try scores.epsilonLowerBound(.oneRun, delta: 0, confidence: 0.9, threshold: .corrected)
    }

    @Test func otherBadNumbersThrow() {
        var random = SystemRandomNumberGenerator()
        #expect(throws: AuditingError.outOfRange(name: "threshold", value: "nan", allowed: "a number")) {
            try scores.epsilonLowerBound(.oneRun, delta: 0, confidence: 0.9, threshold: .given(.nan))
        }
        #expect(throws: AuditingError.outOfRange(name: "falsePositiveRate", value: "1.5", allowed: "in [0, 1]")) {
            try scores.value(of: .truePositiveRate(atFalsePositiveRate: 1.5))
        }
        #expect(throws: AuditingError.outOfRange(name: "samples", value: "1", allowed: "at least 2")) {
            try scores.interval(of: .accuracy, confidence: 0.9, samples: 1, using: &random)
        }
        #expect(throws: AuditingError.outOfRange(name: "guessCount", value: "4", allowed: "in [1, 3]")) {
            try ExactTail(canaryCount: 3, guessCount: 4, mistakeCount: 1)
        }
    }

    @Test func sentencesNameWhatIsWrong() {
        let error = AuditingError.outOfRange(name: "delta", value: "2.0", allowed: "in [0, 1)")
        #expect("\(error)" == "delta is 2.0, but must be in [0, 1). Pass a value in that range.")
        #expect("\(AuditingError.noScores(name: "included"))".contains("no included scores"))
        #expect("\(AuditingError.notANumber(name: "excluded", index: 7))".contains("at index 7"))
    }
}
