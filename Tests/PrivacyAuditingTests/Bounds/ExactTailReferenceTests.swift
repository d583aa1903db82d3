import Testing
import _TestSupport

@testable import PrivacyAuditing

/// `exact_tail` of `mechanisms.json`: all canaries guessed.
@Suite struct ExactTailReferenceTests {
    struct File: Decodable {
        let exactTail: [Row]

        enum CodingKeys: String, CodingKey {
            case exactTail = "exact_tail"
        }
    }

    struct Row: Decodable {
        let guesses, canaries, mistakes: Int
        let significance, delta, mu, epsilon: Double

        enum CodingKeys: String, CodingKey {
            case guesses, canaries, mistakes, significance, delta
            case mu = "mu_lower_f64"
            case epsilon = "epsilon_lower_f64"
        }
    }

    @Test func boundsMatch() throws {
        for row in try ReferenceValues.load("mechanisms.json", as: File.self).exactTail {
            func tail(_ mistakes: Int) throws -> ExactTail {
                try ExactTail(canaryCount: row.canaries, guessCount: row.guesses, mistakeCount: mistakes)
            }
            let confidence = 1 - row.significance
            #expect(try abs(tail(row.mistakes).muLowerBound(confidence: confidence) / row.mu - 1) < 1e-4)
            let epsilon = try tail(row.mistakes).epsilonLowerBound(delta: row.delta, confidence: confidence)
            #expect(abs(epsilon / row.epsilon - 1) < 1e-4)
            // Control: one mistake more.
            #expect(try tail(row.mistakes + 1).muLowerBound(confidence: confidence) / row.mu < 1 - 1e-4)
        }
    }
}
