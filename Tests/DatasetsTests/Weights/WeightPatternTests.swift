import PyTrees
import Testing

@testable import Datasets

@Suite struct WeightPatternTests {
    @Test func starsStandForPartsOfParts() throws {
        for (pattern, name, captures) in [
            ("a.b", "a.b", []), ("*.b", "x.b", ["x"]), ("a.*.*", "a.0.w", ["0", "w"]),
            ("fc*.weight", "fc12.weight", ["12"]), ("*_l0", "weight_l0", ["weight"]), ("", "", []), ("a.", "a.", []),
        ] as [(String, String, [String])] {
            let read = try WeightPattern(name: pattern)
            #expect(read.captures(in: WeightPattern.parts(ofName: name)) == captures, "\(pattern)")
            #expect(read.filled(with: captures).joined(separator: ".") == name)
            #expect(read.starCount == captures.count)
        }
        for (pattern, name) in [
            ("a.b", "a.c"), ("a.b", "a"), ("a", "a.b"), ("a.*", "a."), ("a.*", "a.b.c"), ("fc*", "fc"), ("*x", "xy"),
            ("ab*ba", "aba"), ("", "a"),
        ] {
            #expect(try WeightPattern(name: pattern).captures(in: WeightPattern.parts(ofName: name)) == nil)
        }
    }

    /// A star in a path stands for a key's text, whatever escapes it takes to write it.
    @Test func keysAreTakenAsTheyAre() throws {
        let pattern = try WeightPattern(path: "blocks/*/w~1")
        #expect(pattern.captures(in: ["blocks", "a.b/c", "w/"]) == ["a.b/c"])
        #expect(throws: WeightMappingProblem.severalStars(part: "a*b*", text: "a*b*/c")) {
            try WeightPattern(path: "a*b*/c")
        }
        #expect(throws: WeightMappingProblem.severalStars(part: "**", text: "x.**")) {
            try WeightPattern(name: "x.**")
        }
    }
}
