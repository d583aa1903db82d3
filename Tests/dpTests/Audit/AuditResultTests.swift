import PrivacyAuditing
import PrivateTraining
import Testing

@testable import dp

@Suite struct AuditResultTests {
    /// What an audit of a small plan makes of scores that never came out of a run: no run of correct code has such.
    private func result(_ included: [Double], _ excluded: [Double], kind: CanaryKind = .label) throws -> AuditResult {
        let plan = try PrivacyPlan(
            exampleCount: 1000, expectedBatchSize: 10, epochs: 1, clipping: .flat(l2ClipNorm: 1),
            budget: .noiseMultiplier(2), delta: 1e-5)
        let request = AuditRequest(kind: kind)
        let scores = try CanaryScores(included: included, excluded: excluded)
        let audit = try request.audit(of: plan, canaryCount: scores.count, run: 0)
        return AuditResult(
            report: try AuditReport(audit, scores), scores: scores, request: request, modelName: "softmax <1>",
            seconds: 1)
    }

    private let ascending = (0..<200).map(Double.init)

    /// Scores that tell all canaries apart refute a small ε; the same scores for both kinds refute nothing.
    @Test func theStatusTellsWhetherTheClaimSurvived() throws {
        let refuted = try result(ascending.map { $0 + 1000 }, ascending)
        #expect(!refuted.report.survived && !refuted.record.survived)
        #expect(refuted.exitCode.rawValue == 3)
        #expect(refuted.record.lowerBound > refuted.record.epsilon)
        #expect(refuted.verdict.hasPrefix("The claim did not survive") && refuted.verdict.contains("at most 0.051"))
        #expect(refuted.html.contains("did not survive"))

        let survivor = try result(ascending, ascending)
        #expect(survivor.report.survived && survivor.exitCode.isSuccess)
        #expect(survivor.record.lowerBound <= survivor.record.epsilon)
        #expect(survivor.verdict.contains("survived: nothing was found") && survivor.verdict.contains("proves nothing"))
    }

    /// What is taken for granted stands beside what is refuted by it.
    @Test func premisesAreSaid() throws {
        let high = ascending.map { $0 + 1000 }
        #expect(try !result(high, ascending).verdict.contains("taken for granted"))
        let low = ascending.map { $0 - 1000 }
        #expect(try result(high, low, kind: .gradient).verdict.contains("taken for granted: independent scores"))
    }

    /// One row a statistic, one of which decides; bounds are never shown larger, nor ε smaller.
    @Test func rowsAreRoundedOutward() throws {
        let result = try result(ascending.map { $0 + 100 }, ascending)
        #expect(result.rows.count == AuditStatistic.allCases.count)
        #expect(result.rows.filter { !$0.decides.isEmpty }.map(\.statistic) == ["one-run"])
        for (row, bound) in zip(result.rows, result.report.bounds) {
            #expect(try #require(Double(row.lowerBound)) <= bound.epsilon)
            #expect(try #require(Double(row.epsilon)) >= result.report.epsilon)
        }
    }

    @Test func thePageIsEscaped() throws {
        let page = try result(ascending, ascending).html
        #expect(page.contains("softmax &lt;1&gt;") && !page.contains("<1>"))
    }
}
