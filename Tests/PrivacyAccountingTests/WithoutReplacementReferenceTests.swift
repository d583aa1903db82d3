import Foundation
import Testing

@testable import PrivacyAccounting

/// `without_replacement` of `mechanisms.json`: δ of one step in closed form.
@Suite struct WithoutReplacementReferenceTests {
    struct File: Decodable {
        let rows: [Row]

        enum CodingKeys: String, CodingKey {
            case rows = "without_replacement"
        }
    }

    struct Row: Decodable {
        let noiseMultiplier, fraction, epsilon, delta: Double

        enum CodingKeys: String, CodingKey {
            case fraction, epsilon
            case noiseMultiplier = "noise_multiplier"
            case delta = "delta_f64"
        }
    }

    @Test func oneStepMatches() throws {
        let rows = try ReferenceValues.load("mechanisms.json", as: File.self).rows
        #expect(!rows.isEmpty)
        let size = 1_000_000
        for row in rows {
            let event = try PrivacyEvent.sampledWithoutReplacement(
                sourceSize: size, sampleSize: Int((row.fraction * Double(size)).rounded()),
                .gaussian(noiseMultiplier: row.noiseMultiplier))
            let bounds = try PrivacyLossDistributionAccountant(relation: .replaceOne).deltaBounds(
                of: event, epsilon: row.epsilon)
            #expect(
                bounds.lower <= row.delta * (1 + 1e-9) && row.delta * (1 - 1e-9) <= bounds.upper, "\(row) \(bounds)")
            #expect(bounds.upper - bounds.lower < 0.01 * row.delta, "\(row) \(bounds)")
        }
    }
}
