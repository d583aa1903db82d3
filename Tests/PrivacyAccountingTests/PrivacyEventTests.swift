import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct PrivacyEventTests {
    @Test func treesSurviveJSON() throws {
        let tree = try PrivacyEvent.composed([
            .noOp, .nonPrivate, .zCDP(rho: 0.5, xi: 0.1), .laplace(noiseMultiplier: 2),
            .dpSGD(noiseMultiplier: 1.1, samplingProbability: 0.01, iterations: 100),
            .sampledWithReplacement(sourceSize: 10, sampleSize: 3, .gaussian(noiseMultiplier: 1)),
            .sampledWithoutReplacement(sourceSize: 10, sampleSize: 3, .gaussian(noiseMultiplier: 1)),
            .truncatedPoissonSampledGaussian(
                datasetSize: 100, probability: 0.1, truncatedBatchSize: 20, noiseMultiplier: 1),
        ])
        #expect(try JSONDecoder().decode(PrivacyEvent.self, from: JSONEncoder().encode(tree)) == tree)
    }

    @Test(arguments: [
        #"{"kind":"poissonSampled","probability":1.5,"event":{"kind":"noOp"}}"#,
        #"{"kind":"poissonSampled","probability":-0.1,"event":{"kind":"noOp"}}"#,
        #"{"kind":"gaussian","noiseMultiplier":-1}"#, #"{"kind":"gaussian","noiseMultiplier":"nan"}"#,
        #"{"kind":"selfComposed","count":-1,"event":{"kind":"noOp"}}"#,
        #"{"kind":"composed","events":[{"kind":"noOp"},{"kind":"zCDP","rho":-1,"xi":0}]}"#,
        #"{"kind":"sampledWithoutReplacement","sourceSize":3,"sampleSize":4,"event":{"kind":"noOp"}}"#,
    ])
    func badFilesThrow(json: String) {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        #expect(throws: AccountingError.self) { try decoder.decode(PrivacyEvent.self, from: Data(json.utf8)) }
        // The control: the decoder itself accepts a tree in range.
        #expect(throws: Never.self) {
            try decoder.decode(PrivacyEvent.self, from: Data(#"{"kind":"gaussian","noiseMultiplier":1}"#.utf8))
        }
    }

    @Test func badNumbersNameValueAndRange() {
        for q in [-0.1, 1.1, .nan] {
            let expected = AccountingError.outOfRange(
                name: "samplingProbability", value: "\(q)", allowed: "in [0, 1]")
            #expect(throws: expected) {
                try PrivacyEvent.dpSGD(noiseMultiplier: 1, samplingProbability: q, iterations: 1)
            }
        }
        for z in [-1, .nan] {
            #expect(throws: AccountingError.self) { try PrivacyEvent.gaussian(noiseMultiplier: z) }
            #expect(throws: AccountingError.self) { try PrivacyEvent.laplace(noiseMultiplier: z) }
        }
        #expect(throws: AccountingError.self) {
            try PrivacyEvent.dpSGD(noiseMultiplier: 1, samplingProbability: 0.1, iterations: -1)
        }
        // Put together by hand, past the checked functions: the accountants look again.
        let smuggled = PrivacyEvent.poissonSampledEvent(probability: 2, event: .gaussianEvent(noiseMultiplier: 1))
        #expect(throws: AccountingError.self) {
            try PrivacyLossDistributionAccountant().epsilon(of: smuggled, delta: 1e-5)
        }
    }

    @Test func badQuestionsThrow() throws {
        let event = try PrivacyEvent.gaussian(noiseMultiplier: 1)
        let accountants: [any PrivacyAccountant] = [
            PrivacyLossDistributionAccountant(), RenyiAccountant(relation: .addOrRemoveOne),
        ]
        for accountant in accountants {
            for delta in [-1e-9, 1, 2, .nan] {
                #expect(throws: AccountingError.self) { try accountant.epsilon(of: event, delta: delta) }
            }
            for epsilon in [-1, .nan] {
                #expect(throws: AccountingError.self) { try accountant.delta(of: event, epsilon: epsilon) }
            }
        }
        for h in [0, -1, .nan, .infinity] as [Double] {
            #expect(throws: AccountingError.self) {
                try PrivacyLossDistributionAccountant(discretization: .interval(h))
            }
        }
    }

    @Test func overflowingCountsThrow() throws {
        let event = try PrivacyEvent.selfComposed(
            .selfComposed(.gaussian(noiseMultiplier: 1), count: .max), count: 2)
        #expect(throws: AccountingError.self) {
            try PrivacyLossDistributionAccountant().epsilon(of: event, delta: 1e-5)
        }
    }

    /// Which accountant analyses which event under which relation; everything else throws and names both.
    @Test func unsupportedIsAnError() throws {
        let gaussian = try PrivacyEvent.gaussian(noiseMultiplier: 1)
        let table: [(event: PrivacyEvent, pld: Set<NeighboringRelation>, rdp: Set<NeighboringRelation>)] = try [
            (gaussian, Set(NeighboringRelation.allCases), Set(NeighboringRelation.allCases)),
            (.laplace(noiseMultiplier: 1), Set(NeighboringRelation.allCases), Set(NeighboringRelation.allCases)),
            (.zCDP(rho: 1), [], Set(NeighboringRelation.allCases)),
            (
                .poissonSampled(probability: 0.1, gaussian), Set(NeighboringRelation.allCases),
                [.addOrRemoveOne, .replaceSpecial]
            ),
            (.poissonSampled(probability: 0.1, .laplace(noiseMultiplier: 1)), [], []),
            (.poissonSampled(probability: 0.1, .zCDP(rho: 1)), [], []),
            (.sampledWithReplacement(sourceSize: 10, sampleSize: 2, gaussian), [], []),
            (.sampledWithoutReplacement(sourceSize: 10, sampleSize: 2, gaussian), [], [.replaceOne]),
            (
                .truncatedPoissonSampledGaussian(
                    datasetSize: 100, probability: 0.1, truncatedBatchSize: 12, noiseMultiplier: 1),
                [.replaceOne, .replaceSpecial], []
            ),
        ]
        for (event, pld, rdp) in table {
            for relation in NeighboringRelation.allCases {
                try expect(PrivacyLossDistributionAccountant(relation: relation), event, pld.contains(relation))
                try expect(RenyiAccountant(relation: relation), event, rdp.contains(relation))
            }
        }
    }

    private func expect<A: PrivacyAccountant>(_ accountant: A, _ event: PrivacyEvent, _ isSupported: Bool) throws {
        do throws(AccountingError) {
            _ = try accountant.epsilon(of: event, delta: 1e-5)
            #expect(isSupported, "\(A.name) \(accountant.relation) \(event)")
        } catch {
            guard case .unsupported(_, let relation, let name) = error else { throw error }
            #expect(!isSupported, "\(A.name) \(accountant.relation) \(event)")
            #expect(relation == accountant.relation && name == A.name)
        }
    }
}
