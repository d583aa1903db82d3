import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct TruncationTests {
    @Test func truncationMatchesDirectSums() {
        // n = 6, m = 2, q = 0.4, by enumeration of how many of the 5 others are drawn.
        let (n, m, q) = (6, 2, 0.4)
        func binomial(_ k: Int, _ n: Int) -> Double {
            exp(logBinomial(Double(n), Double(k))) * pow(q, Double(k)) * pow(1 - q, Double(n - k))
        }
        let overfull = (m...n - 1).reduce(0) { $0 + binomial($1, n - 1) }
        let kept = (m...n - 1).reduce(0) { $0 + binomial($1, n - 1) * q * Double(m) / Double($1 + 1) }
        let truncation = Truncation(datasetSize: n, probability: q, batch: m)
        #expect(abs(truncation.probability - overfull) < 1e-12)
        #expect(abs(truncation.conditionalParticipation - kept / overfull) < 1e-12)
        #expect(abs(truncation.participation - ((1 - overfull) * q + kept)) < 1e-8)
        #expect(truncation.participation < q)
    }
}
