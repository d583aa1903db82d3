import Foundation
import PyTrees
import Testing

@testable import Datasets

@Suite struct WeightMappingCodableTests {
    private static let text = """
        {"rules": [
          {"from": "layers.*.linear1.weight", "to": "blocks/*/dense1/kernel", "order": "linear"},
          {"from": "embed.weight", "to": "embedding/table", "order": "same"},
          {"from": "conv*.weight", "to": "conv*/kernel", "order": "convolution", "size": [3, 5]},
          {"from": "fc.weight", "to": "dense/kernel", "order": "flattened", "size": [4, 4]},
          {"from": "in_proj_weight", "to": "key/kernel", "order": "linear", "rows": [64, 128]}],
         "allowMissing": ["head", "blocks/0/adapter"]}
        """

    private static func mapping() throws -> WeightMapping {
        try WeightMapping(
            [
                .init(from: "layers.*.linear1.weight", to: "blocks/*/dense1/kernel", order: .linear),
                .init(from: "embed.weight", to: "embedding/table", order: .same),
                .init(from: "conv*.weight", to: "conv*/kernel", order: .convolution(height: 3, width: 5)),
                .init(from: "fc.weight", to: "dense/kernel", order: .flattened(height: 4, width: 4)),
                .init(from: "in_proj_weight", to: "key/kernel", order: .linear, rows: 64..<128),
            ], allowMissing: ["head", "blocks/0/adapter"])
    }

    private static func read(_ text: String) throws -> WeightMapping {
        try JSONDecoder().decode(WeightMapping.self, from: Data(text.utf8))
    }

    @Test func whatIsWrittenIsRead() throws {
        var mapping = try Self.mapping()
        #expect(try Self.read(Self.text) == mapping)
        for allowed: [TreePath] in [mapping.allowMissing, [], [.root], [.root, "a"]] {
            mapping.allowMissing = allowed
            let text = String(decoding: try JSONEncoder().encode(mapping), as: UTF8.self)
            #expect(try Self.read(text) == mapping)
            #expect(text.contains("allowMissing") == !allowed.isEmpty)
        }
        #expect(try Self.read(#"{"rules": [], "allowMissing": true}"#).allowMissing == [.root])
        #expect(try Self.read(#"{"rules": [], "allowMissing": false}"#).allowMissing.isEmpty)
    }

    /// Each of them says what is wrong, and what it could be instead.
    @Test func whatIsWrongIsNamed() throws {
        func rule(_ more: String, from: String = "a", to: String = "b") -> String {
            #"{"rules": [{"from": "\#(from)", "to": "\#(to)", \#(more)}]}"#
        }
        let same = #""order": "same""#
        for (text, parts) in [
            (rule(same, from: "a.*"), ["a.*", "\"b\"", "stars"]),
            (rule(same, from: "*.*", to: "*/b"), ["*.*", "*/b", "stars"]),
            (rule(same, from: "a*b*", to: "a*b*"), ["a*b*", "several stars"]),
            (rule(same, to: "a//b"), ["a//b", "not a path"]),
            (rule(#""order": "linar""#), ["linar", "Did you mean 'linear'?", "convolution"]),
            (rule(#""order": "convolution""#), ["convolution", "size", "[3, 3]"]),
            (rule(#""order": "linear", "size": [3, 3]"#), ["linear", "no size"]),
            (rule(#""order": "flattened", "size": [3]"#), ["[3]", "must have 2"]),
            (rule(#""order": "flattened", "size": [3, 0]"#), ["[3, 0]", "at least 1"]),
            (rule(same + #", "rows": [4, 4]"#), ["[4, 4]", "larger end"]),
            (rule(same + #", "rows": [4, 2]"#), ["[4, 2]", "larger end"]),
            (rule(same + #", "rows": [-1, 2]"#), ["[-1, 2]", "at least 0"]),
            (rule(same + #", "rows": [1, 2, 3]"#), ["[1, 2, 3]", "must have 2"]),
            (rule(same + #", "transpose": true"#), ["transpose", "order"]),
            (#"{"rules": [], "allowmissing": true}"#, ["allowmissing", "allowMissing"]),
            (#"{"rules": [], "allowMissing": ["a//b"]}"#, ["a//b", "not a path"]),
        ] {
            let error = try #require(throws: DecodingError.self, "\(text)") { try Self.read(text) }
            guard case .dataCorrupted(let context) = error else {
                Issue.record("\(text): \(error)")
                continue
            }
            for part in parts { #expect(context.debugDescription.contains(part), "\(context.debugDescription)") }
        }
        // What must be there.
        for text in [#"{}"#, #"{"rules": [{"from": "a", "to": "b"}]}"#, #"{"rules": [{"to": "b", "order": "same"}]}"#] {
            #expect(throws: DecodingError.self) { try Self.read(text) }
        }
        // Control: the same rule without a mistake.
        #expect(throws: Never.self) { try Self.read(rule(same)) }
    }
}
