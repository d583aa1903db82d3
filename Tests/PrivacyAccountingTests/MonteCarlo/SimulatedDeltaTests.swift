import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct SimulatedDeltaTests {
    /// A result says what it is worth, in text and in JSON.
    @Test func aResultCarriesItsConfidence() throws {
        var random = SeededGenerator(seed: 1)
        let run = try SimulatedRun.ballsInBins(iterations: 3, bins: 3, coefficients: [1], noiseMultiplier: 2)
        let result = try run.delta(epsilon: 0.5, confidence: 0.999, sampleCount: 500, using: &random)
        #expect(result.estimate < result.delta && result.delta < 1)
        #expect("\(result)".contains("with confidence 0.999, from 500 samples of each direction"))
        let json = try JSONEncoder().encode(result)
        let keys = try JSONDecoder().decode([String: Double].self, from: json)
        #expect(keys["confidence"] == 0.999 && keys["sampleCount"] == 500 && keys["delta"] == result.delta)
        #expect(try JSONDecoder().decode(SimulatedDelta.self, from: json) == result)
        // Under the operating system's randomness no two results are alike.
        let others = try (0..<2).map { _ in try run.delta(epsilon: 0.5, confidence: 0.999, sampleCount: 50).estimate }
        #expect(others[0] != others[1])
    }

    @Test func badQuestionsThrow() throws {
        let run = try SimulatedRun.ballsInBins(iterations: 3, bins: 3, coefficients: [1], noiseMultiplier: 2)
        for (epsilon, confidence, count) in [(-1.0, 0.9, 10), (1, 0, 10), (1, 1, 10), (1, .nan, 10), (1, 0.9, 1)] {
            #expect(throws: AccountingError.self) {
                try run.delta(epsilon: epsilon, confidence: confidence, sampleCount: count)
            }
        }
    }

    /// A result from a file is checked.
    @Test func badFilesThrow() throws {
        func decode(_ confidence: String, delta: String = "0.5") throws -> SimulatedDelta {
            let numbers = #""epsilon":1,"delta":\#(delta),"estimate":0.1,"confidence":\#(confidence),"sampleCount":9"#
            return try JSONDecoder().decode(SimulatedDelta.self, from: Data("{\(numbers)}".utf8))
        }
        #expect(try decode("0.9").confidence == 0.9)
        for confidence in ["0", "1", "1.5"] { #expect(throws: AccountingError.self) { try decode(confidence) } }
        #expect(throws: AccountingError.self) { try decode("0.9", delta: "-0.1") }
    }

    /// **Guarantee:** the expectation exceeds the bound with the probability of failure at most. Of 2,000 bounds of 5 %
    /// each, 100 and five deviations of 9.7 may fail; of the broken twin, the mean itself, half do.
    @Test(arguments: [0.002, 0.1, 0.6])
    func boundsFailAsSeldomAsTheySay(expectation: Double) {
        var random = SeededGenerator(seed: 9)
        var (failures, broken) = (0, 0)
        for _ in 0..<2000 {
            var mean = UnitMean()
            for _ in 0..<100 { mean.add(Double.random(in: 0..<1, using: &random) < expectation ? 1 : 0) }
            if mean.upperBound(failure: 0.05) < expectation { failures += 1 }
            if mean.value < expectation { broken += 1 }
        }
        #expect(failures <= 149)
        #expect(broken > 600)
    }

    /// Few samples prove nothing, many of 0 prove −log(failure/2)/n, and a small variance is made use of.
    @Test func boundsAreAsTightAsTheirFormulas() {
        var none = UnitMean()
        none.add(0)
        #expect(none.upperBound(failure: 0.1) == 1)
        var zeros = UnitMean()
        for _ in 0..<10_000 { zeros.add(0) }
        let exact = -expm1(log(0.005) / 10_000)
        #expect(abs(zeros.upperBound(failure: 0.01) / exact - 1) < 1e-9)
        var constant = UnitMean()
        for _ in 0..<10_000 { constant.add(0.5) }
        let linear: Double = 7 * log(400) / (3 * 9_999)
        #expect(constant.upperBound(failure: 0.01) < 0.5 + linear + 1e-6)
    }
}
