import PrivacyAuditing
import Testing

@testable import dp

@Suite struct AuditRequestTests {
    /// As many as fit, up to the usual number.
    @Test func theUsualNumberOfCanariesFits() throws {
        let gradients = AuditRequest()
        #expect(try gradients.canaryCount(parameterCount: 650, planned: nil) == 650)
        #expect(try gradients.canaryCount(parameterCount: 5000, planned: nil) == 1000)
        #expect(try gradients.canaryCount(parameterCount: 5000, planned: 30) == 30)
        let labels = AuditRequest(kind: .label)
        #expect(try labels.canaryCount(parameterCount: 650, planned: nil) == 1000)
        #expect(try labels.canaryCount(parameterCount: 650, planned: 800) == 800)
    }

    /// Those that were asked for are taken, or refused: never fewer.
    @Test func whatDoesNotFitIsRefused() throws {
        var request = AuditRequest(canaries: 650)
        #expect(try request.canaryCount(parameterCount: 650, planned: 650) == 650)
        #expect(throws: UsageError.self) { try request.canaryCount(parameterCount: 649, planned: nil) }
        #expect(throws: UsageError.self) { try request.canaryCount(parameterCount: 650, planned: 649) }
        request.kind = .label
        #expect(try request.canaryCount(parameterCount: 1, planned: nil) == 650)
        #expect(throws: UsageError.self) { try request.canaryCount(parameterCount: 1, planned: 649) }
    }

    @Test func thresholdsAreReadAsTheyAreWritten() {
        #expect(ThresholdChoice.choices.compactMap(ThresholdChoice.init(written:)) == [.corrected, .split])
        #expect(ThresholdChoice.corrected.json == .text("corrected") && ThresholdChoice.split.json == .text("split"))
        #expect(ThresholdChoice(written: "-0.5") == .given(-0.5))
        #expect(ThresholdChoice(written: "nan") == nil && ThresholdChoice(written: "") == nil)
    }
}
