import Foundation
import Testing

@testable import PrivacyMechanisms

@Suite struct StrategyGoalTests {
    private static func decode(_ text: String) throws -> StrategyGoal {
        try JSONDecoder().decode(StrategyGoal.self, from: Data(text.utf8))
    }

    @Test func goalsSurviveJSON() throws {
        let goals = try [
            StrategyGoal(steps: 9),
            StrategyGoal(
                steps: 9, participation: .separated(participations: 2, separation: 3),
                workload: StrategyWorkload(momentum: 0.5), objective: .max),
            StrategyGoal(steps: 9, participation: .epochs(length: 4)),
        ]
        for goal in goals {
            #expect(try JSONDecoder().decode(StrategyGoal.self, from: JSONEncoder().encode(goal)) == goal)
        }
        #expect(try Self.decode(#"{"steps": 9}"#) == goals[0])
        #expect(try Self.decode(#"{"steps": 9, "epochLength": 4}"#) == goals[2])
    }

    @Test func badFilesThrow() {
        for text in [
            #"{"steps": 0}"#, #"{"steps": 9, "epochLength": 0}"#,
            #"{"steps": 9, "participations": 0, "separation": 1}"#,
            #"{"steps": 9, "participations": 1, "separation": 0}"#,
        ] {
            #expect(throws: PrivacyMechanismError.self) { try Self.decode(text) }
        }
        for text in [
            #"{"steps": 9, "participations": 2}"#, #"{"steps": 9, "separation": 2}"#, #"{"step": 9}"#,
            #"{"steps": 9, "epochLength": 3, "separation": 2}"#, #"{"steps": 9, "objective": "least"}"#,
        ] {
            #expect(throws: DecodingError.self) { try Self.decode(text) }
        }
        #expect(throws: PrivacyMechanismError.self) {
            try StrategyGoal(steps: 3, participation: .separated(participations: 1, separation: -1))
        }
        let error = #expect(throws: PrivacyMechanismError.self) {
            try StrategyGoal(steps: 3, participation: .epochs(length: 0))
        }
        #expect(error!.description == "epochLength is 0, but must be at least 1.")
    }

    /// √error × sensitivity, by hand: independent noise over 4 steps has the variances 1, 2, 3, 4.
    @Test func rootLosses() throws {
        let noise = CorrelationStrategy.identity(try IdentityStrategy(steps: 4))
        func loss(_ participation: StrategyParticipation, _ objective: StrategyGoal.Objective) throws -> Double {
            try StrategyGoal(steps: 4, participation: participation, objective: objective).rootLoss(of: noise)
        }
        func isNear(_ value: Double, _ square: Double) -> Bool { abs(value - square.squareRoot()) < 1e-12 }
        #expect(isNear(try loss(.once, .mean), 2.5))
        #expect(isNear(try loss(.once, .max), 4))
        #expect(isNear(try loss(.separated(participations: 2, separation: 1), .max), 8))
        #expect(isNear(try loss(.separated(participations: 9, separation: 2), .max), 8))
        #expect(isNear(try loss(.epochs(length: 3), .max), 8))
    }

    @Test func strategiesForOtherStepsTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = try StrategyGoal(steps: 5).rootLoss(of: .identity(IdentityStrategy(steps: 4)))
        }
        await #expect(processExitsWith: .success) {
            _ = try StrategyGoal(steps: 4).rootLoss(of: .identity(IdentityStrategy(steps: 4)))
        }
    }
}
