import Foundation
import PrivacyAccounting
import PrivacyMechanisms
import PrivateTraining
import Testing

/// **Guarantee:** what a report says of groups is never less than what g steps from neighbour to neighbour prove.
@Suite struct GroupGuaranteeTests {
    private static func report(z: Double, delta: Double = 1e-8) throws -> PrivacyReport {
        PrivacyReport(
            of: try PrivacyPlan(
                exampleCount: 1000, expectedBatchSize: 1000, epochs: 1, clipping: .flat(l2ClipNorm: 1),
                budget: .noiseMultiplier(z), delta: delta))
    }

    @Test func itIsTheSumOfTheSeriesRoundedUp() throws {
        let report = try Self.report(z: 4)
        let epsilon = try #require(report.guarantees[0].epsilon)
        let one = try #require(report.group(of: 1))
        #expect(one.epsilon == epsilon && one.delta == 1e-8)
        for size in 2...6 {
            let group = try #require(report.group(of: size))
            let sum = (exp(Double(size) * epsilon) - 1) / (exp(epsilon) - 1)
            // Neither below, nor above by more than a few roundings of each term.
            #expect(group.epsilon >= Double(size) * epsilon && group.epsilon <= Double(size) * epsilon * (1 + 0x1p-50))
            #expect(abs(group.delta / (1e-8 * sum) - 1) < Double(size) * 0x1p-46)
        }
    }

    /// One Gaussian of all units: a group of g moves the sum by g, and its true δ is known. The bound is above it.
    @Test func itCoversAGroupOfOneGaussian() throws {
        let report = try Self.report(z: 6)
        for size in 2...4 {
            let group = try #require(report.group(of: size))
            let event = try PrivacyEvent.gaussian(noiseMultiplier: 6 / Double(size))
            let truth = try PrivacyLossDistributionAccountant().delta(of: event, epsilon: group.epsilon)
            #expect(group.delta >= truth)
            // The broken twin: the same δ for a group of four and a fraction of its ε is less than the truth.
            let short = try PrivacyLossDistributionAccountant().delta(of: event, epsilon: group.epsilon / Double(size))
            #expect(short > report.guarantees[0].delta)
        }
    }

    @Test func thereIsNoneWhereItWouldPromiseNothing() throws {
        // e^ε far above 1/δ.
        #expect(try Self.report(z: 0.6, delta: 1e-3).group(of: 50) == nil)
        #expect(try Self.report(z: 0).group(of: 2) == nil)
        #expect(try Self.report(z: 4).text.contains("ε of a group of 2"))
        #expect(try !Self.report(z: 0).text.contains("group of 2"))
        #expect(try Self.report(z: 4).text.contains("loose"))
    }

    @Test func groupsOfNobodyTrap() async {
        await #expect(processExitsWith: .failure) { _ = try Self.report(z: 4).group(of: 0) }
        await #expect(processExitsWith: .success) { _ = try Self.report(z: 4).group(of: 1) }
    }
}
