import Foundation
import Testing

/// The examples that the README shows are snippets: every build compiles them, and `scripts/snippets` runs them.
@Suite struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The description of a snippet, and what is shown of its code up to the first part that is hidden.
    private static func parts(of snippet: String) throws -> (description: String, code: String) {
        let parts = try text(of: "Snippets/\(snippet)").split(separator: "\n\n", maxSplits: 1)
        try #require(parts.count == 2)
        return (String(parts[0]), parts[1].components(separatedBy: "\n// snippet.hide\n")[0])
    }

    @Test func theReadmeShowsSnippets() throws {
        let blocks = try Self.text(of: "README.md").components(separatedBy: "```swift\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        let shown = try ["ReadmeExample.swift", "OwnModelByLayers.swift"].map { try Self.parts(of: $0).code }
        #expect(blocks == shown)
        #expect(shown[0].contains("func trainOnDigits") && shown[1].contains("struct Reader"))
    }

    /// DocC takes the first comment of a snippet for its description.
    @Test func everySnippetBeginsWithItsDescription() throws {
        let folder = Self.root.appending(path: "Snippets")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(names.contains("ReadmeExample.swift"))
        for name in names {
            let description = try Self.parts(of: name).description
            #expect(description.split(separator: "\n").allSatisfy { $0.hasPrefix("//") }, "\(name)")
        }
    }
}
