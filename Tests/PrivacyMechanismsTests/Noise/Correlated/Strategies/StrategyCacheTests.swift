import Foundation
import Testing
import _TestSupport

@testable import PrivacyMechanisms

@Suite struct StrategyCacheTests {
    /// A strategy is fitted once for all parameters that are the same, and again where one differs.
    @Test func keysAreAllParameters() throws {
        var cache = StrategyCache()
        let request = StrategyRequest.bandedToeplitz(bands: 3)
        let goals = try [
            StrategyGoal(steps: 12), StrategyGoal(steps: 13), StrategyGoal(steps: 12, objective: .max),
            StrategyGoal(steps: 12, workload: StrategyWorkload(momentum: 0.5)),
            StrategyGoal(steps: 12, participation: .separated(participations: 2, separation: 4)),
            StrategyGoal(steps: 12, participation: .separated(participations: 3, separation: 4)),
            StrategyGoal(steps: 12, participation: .epochs(length: 4)),
        ]
        for (index, goal) in goals.enumerated() {
            #expect(cache[request, goal] == nil)
            let fitted = try cache.strategy(for: request, goal: goal)
            #expect(try cache.count == index + 1 && fitted == request.fitted(to: goal))
            let again = try cache.strategy(for: request, goal: goal) { _, _ in Issue.record("It was fitted again.") }
            #expect(again == fitted && cache.count == index + 1)
        }
        #expect(cache[.bandedToeplitz(bands: 2), goals[0]] == nil)
    }

    @Test func filesComeBack() throws {
        let folder = try TemporaryFolder()
        var (cache, other) = (StrategyCache(), StrategyCache())
        let goal = try StrategyGoal(steps: 8)
        for request in StrategyRequestTests.requests { _ = try cache.strategy(for: request, goal: goal) }
        for request in StrategyRequestTests.requests.reversed() { _ = try other.strategy(for: request, goal: goal) }
        try cache.write(to: folder("strategies.json"))
        #expect(try StrategyCache(contentsOf: folder("strategies.json")) == cache)
        // Written over, and equal caches to equal bytes; nothing else is left in the folder.
        let bytes = try Data(contentsOf: URL(fileURLWithPath: folder("strategies.json")))
        try other.write(to: folder("strategies.json"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder("strategies.json"))) == bytes)
        #expect(try folder.names == ["strategies.json"])
    }

    static let badFiles: [(text: String, part: String)] = [
        ("", "cannot be read"),
        ("[]", "cannot be read"),
        (#"{"version": 2, "entries": []}"#, "The version is 2, but must be 1"),
        (#"{"version": 1, "entries": [], "name": 0}"#, "There is no setting 'name'"),
        (
            #"""
            {"version": 1, "entries": [{"request": {"kind": "identity"}, "goal": {"steps": 4},
             "strategy": {"kind": "identity", "steps": 5}}]}
            """#, "The strategy of entry 0 is identity for 5 steps, but must be identity for 4."
        ),
        (
            #"""
            {"version": 1, "entries": [{"request": {"kind": "blt"}, "goal": {"steps": 4},
             "strategy": {"kind": "identity", "steps": 4}}]}
            """#, "The strategy of entry 0 is identity for 4 steps, but must be blt for 4."
        ),
        (
            #"""
            {"version": 1, "entries": [
             {"request": {"kind": "identity"}, "goal": {"steps": 4}, "strategy": {"kind": "identity", "steps": 4}},
             {"request": {"kind": "identity"}, "goal": {"steps": 4}, "strategy": {"kind": "identity", "steps": 4}}]}
            """#, "Entry 1 has a request and goal that stand there already"
        ),
        (
            #"""
            {"version": 1, "entries": [{"request": {"kind": "identity"}, "goal": {"steps": 0},
             "strategy": {"kind": "identity", "steps": 4}}]}
            """#, "steps is 0, but must be in 1...16777216."
        ),
    ]

    @Test(arguments: badFiles)
    func badFilesThrow(text: String, part: String) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(text, "strategies.json")
        let error = #expect(throws: PrivacyMechanismError.self) { try StrategyCache(contentsOf: path) }
        #expect(error!.description.contains(part) && error!.description.contains(path))
    }

    @Test func placesThatAreNotThereThrow() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: PrivacyMechanismError.self) {
            try StrategyCache(contentsOf: folder("none.json"))
        }
        #expect(error!.description.hasPrefix("The strategies in '"))
        let second = #expect(throws: PrivacyMechanismError.self) {
            try StrategyCache().write(to: folder("none/strategies.json"))
        }
        #expect(second!.description.hasPrefix("The strategies cannot be written to '"))
    }

    @Test func strategiesOfOtherKindsTrap() async {
        await #expect(processExitsWith: .failure) {
            var cache = StrategyCache()
            cache[.dense, try StrategyGoal(steps: 4)] = .identity(try IdentityStrategy(steps: 4))
        }
        await #expect(processExitsWith: .success) {
            var cache = StrategyCache()
            cache[.identity, try StrategyGoal(steps: 4)] = .identity(try IdentityStrategy(steps: 4))
        }
    }
}
