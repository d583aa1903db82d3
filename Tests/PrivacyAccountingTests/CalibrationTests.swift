import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct CalibrationReferenceTests {
    @Test func noiseMultiplierMatchesAndIsSafe() throws {
        for row in AccountingReference.shared.calibrate {
            let accountant = PrivacyLossDistributionAccountant()
            func event(_ z: Double) throws(AccountingError) -> PrivacyEvent {
                try .dpSGD(noiseMultiplier: z, samplingProbability: row.samplingProb, iterations: row.iterations)
            }
            let z = try Calibration(accountant, epsilon: row.epsilon, delta: row.delta).noiseMultiplier(of: event)
            #expect(abs(z / row.pldNoiseMultiplierF64 - 1) < 1e-3)
            #expect(try accountant.epsilon(of: event(z), delta: row.delta) <= row.epsilon)
            // Negative control: a little less noise is not enough, so the check above can fail.
            #expect(try accountant.epsilon(of: event(z * 0.995), delta: row.delta) > row.epsilon)
        }
    }
}

@Suite struct CalibrationTests {
    let accountant = PrivacyLossDistributionAccountant()

    @Test func everyParameterLandsOnTheSafeSide() throws {
        let calibration = try Calibration(accountant, epsilon: 1.5, delta: 1e-6)
        let count = try calibration.iterations { steps throws(AccountingError) in
            try .dpSGD(noiseMultiplier: 1.2, samplingProbability: 0.01, iterations: steps)
        }
        func spent(_ q: Double, _ steps: Int) throws -> Double {
            try accountant.epsilon(
                of: .dpSGD(noiseMultiplier: 1.2, samplingProbability: q, iterations: steps), delta: 1e-6)
        }
        #expect(try spent(0.01, count) <= 1.5)
        #expect(try spent(0.01, count + 20) > 1.5)
        let q = try calibration.samplingProbability { q throws(AccountingError) in
            try .dpSGD(noiseMultiplier: 1.2, samplingProbability: q, iterations: 500)
        }
        #expect(try spent(q, 500) <= 1.5)
        #expect(try spent(q * 1.005, 500) > 1.5)
    }

    /// ε is 1 up to q = 0.1 and 3 above. e^{log 0.1} is above 0.1, and was never evaluated.
    private struct Step: PrivacyAccountant {
        static let name = "step"
        let relation = NeighboringRelation.addOrRemoveOne

        func epsilon(of event: PrivacyEvent, delta: Double) throws(AccountingError) -> Double {
            guard case .poissonSampled(let sampled) = event else { return .nan }
            return sampled.probability <= 0.1 ? 1 : 3
        }

        func delta(of event: PrivacyEvent, epsilon: Double) throws(AccountingError) -> Double { 1 }
    }

    @Test func whatIsReturnedWasEvaluated() throws {
        let calibration = try Calibration(Step(), epsilon: 2, delta: 1e-5)
        let q = try calibration.samplingProbability { q throws(AccountingError) in
            try .poissonSampled(probability: q, .gaussian(noiseMultiplier: 1))
        }
        #expect(try calibration.accountant.epsilon(of: .poissonSampled(probability: q, .noOp), delta: 0) <= 2)
        // What is not a number is no budget met.
        #expect(throws: AccountingError.self) {
            try calibration.noiseMultiplier { z throws(AccountingError) in try .gaussian(noiseMultiplier: z) }
        }
    }

    @Test func rdpAsksForMoreNoise() throws {
        func event(_ z: Double) throws(AccountingError) -> PrivacyEvent {
            try .dpSGD(noiseMultiplier: z, samplingProbability: 0.02, iterations: 400)
        }
        let tight = try Calibration(accountant, epsilon: 2, delta: 1e-5).noiseMultiplier(of: event)
        let rdp = RenyiAccountant(relation: .addOrRemoveOne)
        let loose = try Calibration(rdp, epsilon: 2, delta: 1e-5).noiseMultiplier(of: event)
        #expect(loose > tight)
        #expect(try rdp.epsilon(of: event(loose), delta: 1e-5) <= 2)
    }

    @Test func trivialBudgets() throws {
        let calibration = try Calibration(accountant, epsilon: 1, delta: 1e-5)
        #expect(
            try calibration.noiseMultiplier { z throws(AccountingError) in
                try .dpSGD(noiseMultiplier: z, samplingProbability: 0, iterations: 10)
            } == 0)
        #expect(
            try calibration.samplingProbability { q throws(AccountingError) in
                try .dpSGD(noiseMultiplier: 100, samplingProbability: q, iterations: 10)
            } == 1)
        #expect(
            try calibration.iterations(upTo: 50) { steps throws(AccountingError) in
                try .dpSGD(noiseMultiplier: 1000, samplingProbability: 0.01, iterations: steps)
            } == 50)
    }

    @Test func unattainableBudgetsSayWhatWouldHelp() throws {
        let calibration = try Calibration(accountant, epsilon: 0.1, delta: 1e-9)
        #expect(throws: AccountingError.self) {
            try calibration.noiseMultiplier { z throws(AccountingError) in
                try .composed([.gaussian(noiseMultiplier: 1), .gaussian(noiseMultiplier: z)])
            }
        }
        do {
            _ = try calibration.iterations { steps throws(AccountingError) in
                try .dpSGD(noiseMultiplier: 0.5, samplingProbability: 0.5, iterations: steps)
            }
            Issue.record("a budget that one step exceeds was met")
        } catch {
            guard case .unattainable(_, let epsilon, _, let best, let remedy) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(epsilon == 0.1 && best > 0.1 && remedy.contains("more noise"))
        }
    }

    @Test(arguments: [0, -1, .nan, .infinity] as [Double]) func badTargetsThrow(epsilon: Double) {
        #expect(throws: AccountingError.self) { try Calibration(accountant, epsilon: epsilon, delta: 1e-5) }
    }
}
