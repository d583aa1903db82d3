import Foundation
import PrivacyMechanisms
import Testing

@testable import dp

@Suite struct StrategyFitterTests {
    private static let request = StrategyRequest.bandedInverse(terms: 2)

    private func goal(_ steps: Int = 10) throws -> StrategyGoal {
        try StrategyGoal(steps: steps, participation: .separated(participations: 2, separation: 5))
    }

    /// What was fitted is kept; what stands in the file is taken as it is, and nothing of it is lost.
    @Test func whatWasFittedIsKept() throws {
        let folder = try WorkFolder()
        let path = folder.url.appending(path: "s.json").path
        let fitted = try StrategyFitter(file: path).strategy(for: Self.request, goal: goal())
        #expect(try StrategyCache(contentsOf: path)[Self.request, goal()] == fitted)
        // A strategy that no fit would find tells that it was read.
        var cache = try StrategyCache(contentsOf: path)
        let other = CorrelationStrategy.bandedInverse(try .bifr(gamma: 0.1, terms: 2, steps: 10))
        #expect(other != fitted)
        cache[Self.request, try goal()] = other
        try cache.write(to: path)
        let fitter = try StrategyFitter(file: path)
        let before = try folder.data("s.json")
        #expect(try fitter.strategy(for: Self.request, goal: goal()) == other)
        #expect(try folder.data("s.json") == before)
        _ = try fitter.strategy(for: Self.request, goal: goal(20))
        let both = try StrategyCache(contentsOf: path)
        #expect(both.count == 2)
        #expect(try both[Self.request, goal()] == other)
        // Without a file, it is fitted.
        #expect(try StrategyFitter(file: nil).strategy(for: Self.request, goal: goal()) == fitted)
    }

    @Test func aFileThatIsNoneIsNamed() throws {
        let folder = try WorkFolder()
        try folder.write("{", to: "s.json")
        let path = folder.url.appending(path: "s.json").path
        let error = #expect(throws: PrivacyMechanismError.self) { try StrategyFitter(file: path) }
        guard case .unreadableStrategies(path, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let nowhere = folder.url.appending(path: "none/s.json").path
        #expect(throws: PrivacyMechanismError.self) {
            try StrategyFitter(file: nowhere).strategy(for: Self.request, goal: goal())
        }
    }
}
