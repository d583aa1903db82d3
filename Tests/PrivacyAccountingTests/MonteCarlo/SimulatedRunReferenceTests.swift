import Foundation
import Testing

@testable import PrivacyAccounting

/// `b_min_sep` of `mechanisms.json`: log likelihood ratios of one trajectory, by enumeration.
@Suite struct SimulatedRunReferenceTests {
    struct File: Decodable {
        let rows: [Row]

        enum CodingKeys: String, CodingKey {
            case rows = "b_min_sep"
        }
    }

    struct Row: Decodable {
        let coefficients, outputs: [Double]
        let separation: Int
        let probability, noiseMultiplier, cold, warm: Double

        enum CodingKeys: String, CodingKey {
            case coefficients, outputs, separation, probability
            case noiseMultiplier = "noise_multiplier"
            case cold = "log_ratio_cold_f64"
            case warm = "log_ratio_warm_f64"
        }
    }

    /// Sums of at most 2⁹ positive terms, each an exponential of an exponent below 50.
    @Test func logRatiosMatch() throws {
        for row in try ReferenceValues.load("mechanisms.json", as: File.self).rows {
            for (start, exact) in [(SimulatedRun.Start.cold, row.cold), (.warm, row.warm)] {
                let run = try SimulatedRun.minimumSeparation(
                    iterations: row.outputs.count, separation: row.separation, probability: row.probability,
                    coefficients: row.coefficients, noiseMultiplier: row.noiseMultiplier, start: start)
                #expect(abs(run.logRatio(row.outputs) - exact) < 1e-12 * (1 + abs(exact)))
            }
        }
    }
}
