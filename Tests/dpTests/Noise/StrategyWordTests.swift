import Foundation
import PrivacyMechanisms
import Testing

@testable import dp

@Suite struct StrategyWordTests {
    @Test(arguments: [
        ("blt", StrategyRequest.blt()), ("blt:3", .blt(buffers: 3)), ("dense", .dense), ("identity", .identity),
        ("banded-toeplitz:16", .bandedToeplitz(bands: 16)), ("banded-inverse:4", .bandedInverse(terms: 4)),
    ])
    func wordsAreRequests(_ word: String, _ request: StrategyRequest) throws {
        let read = try #require(StrategyWord(written: word))
        #expect(read.request == request)
        // What is written into settings is read as the same, and stands in the documented format.
        #expect(
            try JSONDecoder.exact.decode(StrategyRequest.self, from: JSONEncoder.exact.encode(read.json)) == request)
        #expect(Formats.strategy.problems(with: read.json).isEmpty)
    }

    @Test(arguments: [
        "", "bltt", "blt:", "blt:x", "blt:3:4", "banded-toeplitz", "banded-inverse", "dense:3", "identity:1", ":3",
        "BLT", "banded-toeplitz:1.5",
    ])
    func otherWordsMeanNothing(_ word: String) { #expect(StrategyWord(written: word) == nil) }

    @Test func choicesAreWords() {
        let words = StrategyWord.choices.compactMap { StrategyWord(written: $0)?.request.kind }
        #expect(Set(words) == Set(CorrelationStrategy.strategies.map { $0.kind }))
    }
}
