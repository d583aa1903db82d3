import Foundation
import Testing

@testable import PrivacyAccounting

@Suite struct PrivacyEventTests {
    /// One of each kind, with the JSON that files hold.
    private static func examples() throws -> [(event: PrivacyEvent, json: String)] {
        let noOp = #"{"kind":"noOp"}"#
        return try [
            (.gaussian(noiseMultiplier: 1.5), #"{"kind":"gaussian","noiseMultiplier":1.5}"#),
            (.zCDP(rho: 0.5, xi: 0.25), #"{"kind":"zCDP","rho":0.5,"xi":0.25}"#),
            (.laplace(noiseMultiplier: 2), #"{"kind":"laplace","noiseMultiplier":2}"#),
            (
                .poissonSampled(probability: 0.5, .noOp),
                #"{"event":\#(noOp),"kind":"poissonSampled","probability":0.5}"#
            ),
            (
                .sampledWithReplacement(sourceSize: 10, sampleSize: 3, .noOp),
                #"{"event":\#(noOp),"kind":"sampledWithReplacement","sampleSize":3,"sourceSize":10}"#
            ),
            (
                .sampledWithoutReplacement(sourceSize: 10, sampleSize: 3, .noOp),
                #"{"event":\#(noOp),"kind":"sampledWithoutReplacement","sampleSize":3,"sourceSize":10}"#
            ),
            (
                .truncatedPoissonSampledGaussian(
                    datasetSize: 100, probability: 0.5, truncatedBatchSize: 20, noiseMultiplier: 1),
                #"{"datasetSize":100,"kind":"truncatedPoissonSampledGaussian","noiseMultiplier":1,"#
                    + #""probability":0.5,"truncatedBatchSize":20}"#
            ),
            (
                .randomAllocated(steps: 10, participations: 1, probability: 0.5, noiseMultiplier: 1),
                #"{"kind":"randomAllocated","noiseMultiplier":1,"participations":1,"probability":0.5,"steps":10}"#
            ),
            (.composed([.noOp, .nonPrivate]), #"{"events":[\#(noOp),{"kind":"nonPrivate"}],"kind":"composed"}"#),
            (.selfComposed(.noOp, count: 3), #"{"count":3,"event":\#(noOp),"kind":"selfComposed"}"#),
            (.noOp, noOp), (.nonPrivate, #"{"kind":"nonPrivate"}"#),
        ]
    }

    @Test func everyKindSurvivesJSON() throws {
        let examples = try Self.examples()
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for (event, json) in examples {
            #expect(String(decoding: try encoder.encode(event), as: UTF8.self) == json)
            #expect(try JSONDecoder().decode(PrivacyEvent.self, from: Data(json.utf8)) == event)
            #expect(event.analysis.asPrivacyEvent == event)
            let payload = type(of: event.analysis)
            #expect(ObjectIdentifier(payload.kind.type) == ObjectIdentifier(payload))
        }
        #expect(examples.map { type(of: $0.event.analysis).kind } == PrivacyEvent.Kind.allCases)
        let tree = PrivacyEvent.composed(examples.map(\.event))
        #expect(try JSONDecoder().decode(PrivacyEvent.self, from: JSONEncoder().encode(tree)) == tree)
    }

    /// What a payload looks like whose decoding is left to the compiler.
    private struct UncheckedGaussian: Codable {
        let noiseMultiplier: Double
    }

    /// A payload that is decoded without its enum is checked as well.
    @Test func payloadsAreChecked() {
        func refuses(_ type: any Decodable.Type, _ json: String) -> Bool {
            do {
                _ = try JSONDecoder().decode(type, from: Data("{\(json)}".utf8))
                return false
            } catch {
                return error is AccountingError
            }
        }
        let event = #""event":{"kind":"noOp"}"#
        let truncated = #""datasetSize":3,"truncatedBatchSize":1,"noiseMultiplier":1"#
        #expect(refuses(GaussianEvent.self, #""noiseMultiplier":-1"#))
        #expect(refuses(LaplaceEvent.self, #""noiseMultiplier":-1"#))
        #expect(refuses(ZCDPEvent.self, #""rho":1,"xi":-1"#))
        #expect(refuses(PoissonSampledEvent.self, #""probability":2,\#(event)"#))
        #expect(refuses(SampledWithReplacementEvent.self, #""sourceSize":0,"sampleSize":1,\#(event)"#))
        #expect(refuses(SampledWithoutReplacementEvent.self, #""sourceSize":3,"sampleSize":4,\#(event)"#))
        #expect(refuses(TruncatedPoissonSampledGaussianEvent.self, #""probability":2,\#(truncated)"#))
        #expect(
            refuses(RandomAllocatedEvent.self, #""steps":3,"participations":4,"probability":1,"noiseMultiplier":1"#))
        #expect(refuses(SelfComposedEvent.self, #""count":-1,\#(event)"#))
        // The broken twin, and numbers in range, are let through.
        #expect(!refuses(UncheckedGaussian.self, #""noiseMultiplier":-1"#))
        #expect(!refuses(TruncatedPoissonSampledGaussianEvent.self, #""probability":1,\#(truncated)"#))
    }

    /// A kind that implements no analysis of its own.
    @Test func whatIsNotImplementedIsRefused() throws {
        let event = try SampledWithReplacementEvent(sourceSize: 10, sampleSize: 2, event: .noOp)
        for relation in NeighboringRelation.allCases {
            #expect(
                throws: AccountingError.unsupported(
                    event: "nothing on 2 of 10 records sampled with replacement", relation: relation, accountant: "rdp")
            ) { try event.renyiDivergence(under: relation) }
            #expect(
                throws: AccountingError.unsupported(
                    event: "nothing on 2 of 10 records sampled with replacement", relation: relation, accountant: "pld")
            ) { try event.loss(under: relation, side: .upper) }
            #expect(event.largestLoss(count: 1, under: relation, side: .upper) == .infinity)
        }
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
            (.poissonSampled(probability: 0.1, .laplace(noiseMultiplier: 1)), Set(NeighboringRelation.allCases), []),
            (.poissonSampled(probability: 0.1, .zCDP(rho: 1)), [], []),
            (.sampledWithReplacement(sourceSize: 10, sampleSize: 2, gaussian), [.replaceOne], []),
            (.sampledWithoutReplacement(sourceSize: 10, sampleSize: 2, gaussian), [.replaceOne], [.replaceOne]),
            (
                .truncatedPoissonSampledGaussian(
                    datasetSize: 100, probability: 0.1, truncatedBatchSize: 12, noiseMultiplier: 1),
                [.replaceOne, .replaceSpecial], []
            ),
            (
                .randomAllocated(steps: 4, participations: 1, noiseMultiplier: 1), Set(NeighboringRelation.allCases),
                Set(NeighboringRelation.allCases)
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
