import Foundation
import PrivateTraining
import Testing

@testable import PrivacyAuditing

/// The library audits itself: with 99.9 % confidence nothing is falsified that does as its plan says, and every broken
/// twin is.
///
/// With `SELF_AUDIT_TABLE` set, what was found is written to the files `twins` and `configurations` of that folder, as
/// rows of the tables in the documentation: see `scripts/self-audit`.
@Suite struct SelfAuditTests {
    @Test(arguments: BrokenTwin.allCases)
    func twinsAreCaught(twin: BrokenTwin) throws {
        let finding = try TwinCase(twin).finding(isBroken: true)
        #expect(!finding.survived, "\(finding.bound) under a claim of \(finding.epsilon)")
        try finding.note(twin.rawValue, in: "twins")
    }

    /// It is the flaw that is caught: the same run without it survives.
    @Test(arguments: BrokenTwin.allCases)
    func runsWithoutTheFlawSurvive(twin: BrokenTwin) throws {
        let finding = try TwinCase(twin).finding(isBroken: false)
        #expect(finding.survived, "\(finding.bound) over a claim of \(finding.epsilon)")
    }

    @Test(arguments: TrueConfiguration.allCases)
    func nothingTrueIsFalsified(configuration: TrueConfiguration) throws {
        let finding = try configuration.finding()
        #expect(finding.survived, "\(finding.bound) over a claim of \(finding.epsilon)")
        // An audit that sees nothing at all would find nothing true false, either.
        #expect(finding.bound.epsilon > 0)
        try finding.note(configuration.rawValue, in: "configurations")
    }

    /// Whole batches of DP-SGD with z = 1, a single step, 1,000 canaries among 10⁵ parameters, at 95 %: the middle
    /// one of 11 bounds is expected at 85 % of ε, with a deviation of 3.4 %.
    @Test func theBoundIsNearTheTruth() throws {
        let plan = try TwinCase.wholeBatch(noiseMultiplier: 1)
        let layout = try TreeLayout([("weights", [100_000])])
        var bounds: [Double] = []
        for seed in 0..<11 as Range<UInt64> {
            let audit = try PrivacyAudit(plan, canaryCount: 1000, nonPrivateSeed: seed)
            // No gradients but those of canaries.
            let scores = try audit.scores(
                optimizer: IdentityAugmented(sgd(learningRate: 0.1)), parameters: ParameterVector(zeros: layout),
                microbatchSize: 100
            ) { indices, _ in try DenseRows(Matrix(rows: indices.count, columns: layout.count), layout: layout) }
            bounds.append(try audit.epsilonLowerBound(scores, .planFamily, confidence: 0.95).epsilon)
        }
        let epsilon = try plan.epsilon()
        #expect(bounds.sorted()[5] >= 0.75 * epsilon && bounds.allSatisfy { $0 > 0 }, "\(bounds) of \(epsilon)")
    }
}

extension AuditFinding {
    fileprivate func note(_ name: String, in table: String) throws {
        guard let folder = ProcessInfo.processInfo.environment["SELF_AUDIT_TABLE"] else { return }
        func text(_ value: Double) -> String { String(format: "%.2f", value) }
        let row = "| \(name) | \(text(epsilon)) | \(text(bound.epsilon)) | \(survived ? "yes" : "no") |\n"
        let path = folder + "/" + table
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(filePath: path)) }
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(row.utf8))
    }
}
