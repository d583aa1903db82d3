import Foundation
import Testing

@testable import PrivacyMechanisms

@Suite struct StrategyRequestTests {
    static let requests: [StrategyRequest] = [
        .identity, .bandedToeplitz(bands: 3), .bandedInverse(terms: 2), .bandedInverse(terms: 4, gamma: 0.5), .blt(),
        .blt(buffers: 2), .dense,
    ]

    private static func goals() throws -> [StrategyGoal] {
        try [
            StrategyGoal(steps: 24),
            StrategyGoal(steps: 24, participation: .separated(participations: 3, separation: 5)),
            StrategyGoal(
                steps: 24, participation: .epochs(length: 10), workload: StrategyWorkload(momentum: 0.9)),
        ]
    }

    /// Strategies are better than independent noise, of the kind and steps that were asked for, and the root losses
    /// that are told on the way come down to theirs.
    @Test(arguments: requests)
    func fitsAreBetterThanIndependentNoise(request: StrategyRequest) throws {
        for goal in try Self.goals() {
            var told: [Double] = []
            let strategy = try request.fitted(to: goal) { told.append($1) }
            #expect(strategy.kind == request.kind && strategy.steps == 24)
            let loss = goal.rootLoss(of: strategy)
            if request != .identity {
                #expect(loss < 0.9 * goal.rootLoss(of: .identity(try IdentityStrategy(steps: 24))))
                // Each row of A·C⁻¹ has a norm of at least that of C's columns over their number.
                #expect(loss >= 1)
            }
            // A dense one has its sensitivity rounded up; the best BLT is not the last one that was tried.
            if let last = told.last, request != .blt() { #expect(abs(last / loss - 1) < 1e-6) }
            #expect(try request.fitted(to: goal) == strategy)
        }
    }

    /// The best Toeplitz matrix for the largest error is known, and any number of bands comes close to it from above;
    /// three buffers as well (specification: within 3 % of 1 + ln(n)/π at 10⁴ steps).
    @Test func knownOptimaAreReached() throws {
        let goal = try StrategyGoal(steps: 64, objective: .max)
        let best = goal.rootLoss(of: .bandedToeplitz(try .optimalForOneParticipation(steps: 64)))
        let all = goal.rootLoss(of: try StrategyRequest.bandedToeplitz(bands: 64).fitted(to: goal))
        #expect(all <= best * (1 + 1e-6) && all >= best * (1 - 1e-6))
        let few = goal.rootLoss(of: try StrategyRequest.bandedToeplitz(bands: 8).fitted(to: goal))
        #expect(few > best)
        let long = try StrategyGoal(steps: 10_000, objective: .max)
        let buffered = long.rootLoss(of: try StrategyRequest.blt(buffers: 3).fitted(to: long))
        let bound: Double = 1 + log(10_000) / Double.pi
        #expect(buffered < 1.03 * bound)
    }

    /// Two buffers for 10⁵ steps end where the specification says.
    @Test func twoBuffersEndAtTheKnownValues() throws {
        let goal = try StrategyGoal(steps: 100_000, objective: .max)
        let strategy = try StrategyRequest.blt(buffers: 2).fitted(to: goal)
        #expect(abs(goal.rootLoss(of: strategy) - 5.296747) < 1e-5)
        let known = BufferedToeplitzStrategyTests.known
        let blt = try #require(strategy.strategy as? BufferedToeplitzStrategy)
        #expect(zip(blt.decays, known.decays).allSatisfy { abs((1 - $0) / (1 - $1) - 1) < 1e-3 })
        #expect(zip(blt.weights, known.weights).allSatisfy { abs($0 / $1 - 1) < 1e-3 })
    }

    /// Dense matrices keep what their sensitivity rests on, and are better than any Toeplitz matrix.
    @Test func denseMatricesKeepTheirConditions() throws {
        let apart = try StrategyGoal(steps: 24, participation: .separated(participations: 4, separation: 6))
        let banded = try StrategyRequest.dense.fitted(to: apart)
        #expect(banded.bands == 6)
        #expect(abs(banded.sensitivity(participations: 4, separation: 6, steps: 24) - 2) < 1e-12)
        let toeplitz = try StrategyRequest.bandedToeplitz(bands: 6).fitted(to: apart)
        #expect(apart.rootLoss(of: banded) < apart.rootLoss(of: toeplitz))
        // 24 is not a multiple of 10: classes have two or three steps.
        let epochs = try StrategyGoal(steps: 24, participation: .epochs(length: 10))
        let strategy = try StrategyRequest.dense.fitted(to: epochs)
        #expect(abs(strategy.epochSensitivity(length: 10, steps: 24) - 3.0.squareRoot()) < 1e-12)
    }

    /// More bands than participations are apart do not make it worse than as many, and stay exact.
    @Test func bandsMayOverlap() throws {
        let goal = try StrategyGoal(steps: 60, participation: .separated(participations: 6, separation: 10))
        func loss(_ bands: Int) throws -> Double {
            goal.rootLoss(of: try StrategyRequest.bandedToeplitz(bands: bands).fitted(to: goal))
        }
        #expect(try loss(20) < loss(10) * 1.001)
    }

    /// The best γ is no worse than others.
    @Test(arguments: [2, 5]) func theBestExponentIsFound(terms: Int) throws {
        let goal = try StrategyGoal(steps: 200, participation: .separated(participations: 4, separation: 50))
        let best = goal.rootLoss(of: try StrategyRequest.bandedInverse(terms: terms).fitted(to: goal))
        for gamma in stride(from: 0.05, through: 1, by: 0.05) {
            let other = try StrategyRequest.bandedInverse(terms: terms, gamma: gamma).fitted(to: goal)
            #expect(best <= goal.rootLoss(of: other) * (1 + 1e-6), "γ \(gamma)")
        }
    }

    @Test func badRequestsThrow() throws {
        let goal = try StrategyGoal(steps: 24)
        for request in [
            StrategyRequest.bandedToeplitz(bands: 0), .bandedInverse(terms: 0), .bandedInverse(terms: 2, gamma: 2),
            .blt(buffers: 0), .blt(buffers: 11),
        ] {
            #expect(throws: PrivacyMechanismError.self) { try request.fitted(to: goal) }
        }
        let most = try StrategyGoal(steps: 24, objective: .max)
        let error = #expect(throws: PrivacyMechanismError.self) { try StrategyRequest.dense.fitted(to: most) }
        #expect(error!.description == "The objective of a dense strategy is max, but must be mean.")
        #expect(throws: PrivacyMechanismError.self) {
            try StrategyRequest.dense.fitted(to: StrategyGoal(steps: 5000))
        }
        // One step, and more bands than steps.
        let single = try StrategyGoal(steps: 1)
        for request in Self.requests {
            #expect(abs(single.rootLoss(of: try request.fitted(to: single)) - 1) < 1e-12)
        }
    }

    @Test(arguments: requests)
    func requestsSurviveJSON(request: StrategyRequest) throws {
        let data = try JSONEncoder().encode(request)
        #expect(try JSONDecoder().decode(StrategyRequest.self, from: data) == request)
        let wrong = Data(("{\"band\":5," + String(decoding: data, as: UTF8.self).dropFirst()).utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(StrategyRequest.self, from: wrong) }
        let unknown = Data(#"{"kind": "toeplitz"}"#.utf8)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(StrategyRequest.self, from: unknown) }
    }
}
